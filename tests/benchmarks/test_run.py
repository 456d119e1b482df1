"""The measuring itself, on notebooks made for it: seconds, memory, failures, and what is written down."""

import json
import os
import platform
import re
import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest

from benchmarks import lessons, process, record, run, sound

ROW = {
    "lesson": "03_autoencoder",
    "wall_s": 20.0,
    "cpu_s": 30.0,
    "peak_mb": 700,
    "slowest_cell_s": 9.0,
    "seed": 3,
}


def notebook(folder, *sources):
    path = folder / "03_small.ipynb"
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_time_and_memory_are_those_of_the_lesson(tmp_path):
    path = notebook(
        tmp_path,
        "import time\nimport numpy as np\nseed = 7",
        "time.sleep(1)",
        "held = np.ones(40_000_000)",  # 320 MB, gone before the end
        "del held\nfrom pathlib import Path\nassert Path('03_small.ipynb').exists()",
    )
    before = path.read_bytes()
    row = lessons.measure(path)
    assert row["lesson"] == "03_small"
    assert row["seed"] == 7
    assert 1 <= row["slowest_cell_s"] <= row["wall_s"] < 60
    assert row["cpu_s"] > 0
    assert 320 < row["peak_mb"] < 900
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("last", "why"),
    [
        (
            "raise ValueError('no such bar')",
            r"03_small\.ipynb fails in cell 2: ValueError: no such bar",
        ),
        ("import os\nos._exit(1)", r"fails in cell 2: .*died"),
    ],
)
def test_a_lesson_that_fails_is_named_with_its_cell(tmp_path, last, why):
    with pytest.raises(lessons.LessonFails, match=f"(?i){why}"):
        lessons.measure(notebook(tmp_path, "x = 1", last))


@pytest.fixture
def quick(monkeypatch):
    """Lessons that take no time, each the same."""
    monkeypatch.setattr(lessons, "use_cores", lambda: None)
    monkeypatch.setattr(lessons, "measure", lambda path: ROW | {"lesson": path.stem})


def test_a_lesson_is_measured_and_nothing_is_written(tmp_path, quick, capsys):
    assert lessons.main(["03"], tmp_path) == 0
    assert "Run time: 20 s on two cores; memory: 700 MB" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_rows_of_single_lessons_are_stored_among_the_others(tmp_path, quick, monkeypatch):
    assert lessons.main(["05", "03", "--store"], tmp_path) == 0
    monkeypatch.setattr(
        lessons, "measure", lambda path: ROW | {"lesson": path.stem, "wall_s": 30.0}
    )
    assert lessons.main(["4", "5", "--store"], tmp_path) == 0
    stored = json.loads((tmp_path / "lessons.json").read_text(encoding="utf-8"))
    assert {row["lesson"]: row["wall_s"] for row in stored["rows"]} == {
        "03_autoencoder": 20.0,
        "04_mse_training": 30.0,
        "05_variational_autoencoder": 30.0,
    }
    assert list(stored["seed"]) == [row["lesson"] for row in stored["rows"]]
    assert "| 04_mse_training | 30.0 |" in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_a_lesson_that_fails_ends_the_command_and_keeps_what_was_measured(
    tmp_path, quick, monkeypatch, capsys
):
    def fails(path):
        if path.stem.startswith("04"):
            raise lessons.LessonFails("04_mse_training.ipynb fails in cell 2: it died")
        return ROW

    monkeypatch.setattr(lessons, "measure", fails)
    assert lessons.main(["03", "04", "05", "--store"], tmp_path) == 1
    assert "fails in cell 2" in capsys.readouterr().err
    stored = json.loads((tmp_path / "lessons.json").read_text(encoding="utf-8"))
    assert [row["lesson"] for row in stored["rows"]] == ["03_autoencoder"]


@pytest.mark.parametrize(
    ("words", "said"), [(["03", "99"], "no lesson 99: there are 00, 01"), ([], "required: NN")]
)
def test_wrong_numbers_of_lessons_are_refused_before_anything_runs(words, said, quick, capsys):
    with pytest.raises(SystemExit):
        lessons.main(words)
    assert said in capsys.readouterr().err


def test_a_command_answers_in_a_process_of_its_own(monkeypatch):
    def run_it(code):
        def run(command, **options):
            assert command[1:] == ["-m", "benchmarks.speed", "--seed", "3"]
            return subprocess.run([sys.executable, "-c", code], **options)

        monkeypatch.setattr(process, "subprocess", SimpleNamespace(run=run, PIPE=subprocess.PIPE))
        return process.answer("speed", "--seed", 3)

    assert run_it("print('words')\nprint('[1, 2]')") == [1, 2]
    with pytest.raises(RuntimeError, match=r"status 7 of python -m benchmarks.speed --seed 3"):
        run_it("raise SystemExit(7)")


def test_the_record_names_neither_machine_nor_owner():
    found = record.record("lessons", [ROW])
    assert set(found["machine"]) == {"system", "cpu", "cores", "cores_used", "memory_gb"}
    assert platform.node() not in found["machine"].values()
    assert str(record.ROOT) not in json.dumps(found)


def test_an_unpacked_zip_has_no_commit(monkeypatch, tmp_path):
    monkeypatch.setattr(
        record, "ROOT", tmp_path
    )  # wherever it lies: a repository around it is another
    found = record.record("lessons", [ROW])
    assert (found["commit"], found["uncommitted_changes"]) == (record.NO_GIT, False)
    assert record.NO_GIT[:10] in record.table([found])


def test_the_record_has_what_is_needed_to_measure_again():
    found = record.record("lessons", [ROW])
    in_git = (record.ROOT / ".git").exists()
    assert re.fullmatch(r"[0-9a-f]{40}" if in_git else record.NO_GIT, found["commit"])
    assert found["seed"] == {"03_autoencoder": 3}
    assert found["machine"]["cores"] == os.cpu_count()
    assert found["machine"]["memory_gb"] > 1
    assert found["versions"]["python"] == platform.python_version()
    assert "numpy" in found["versions"]
    assert found["rows"] == [ROW]


def test_the_table_has_a_line_per_row():
    page = record.table([record.record("lessons", [ROW, ROW | {"lesson": "04_training"}])])
    lines = [line for line in page.splitlines() if line.startswith("|")]
    assert lines[0] == "| lesson | wall_s | cpu_s | peak_mb | slowest_cell_s |"
    assert lines[1] == "| --- | ---: | ---: | ---: | ---: |"
    assert lines[2:] == [
        "| 03_autoencoder | 20.0 | 30.0 | 700 | 9.0 |",
        "| 04_training | 20.0 | 30.0 | 700 | 9.0 |",
    ]


@pytest.fixture
def measured(monkeypatch):
    """Benchmarks that take no time."""
    monkeypatch.setattr(os, "sched_setaffinity", lambda *_: None, raising=False)
    one = {name: (lambda name=name: [{"what": name, "wall_s": 1.0}]) for name in ("data", "sound")}
    monkeypatch.setattr(run, "BENCHMARKS", {"lessons": lambda: [ROW], **one})


def test_one_benchmark_leaves_the_other_results(tmp_path, measured):
    assert run.main([], tmp_path) == 0
    before = (tmp_path / "data.json").read_bytes()
    (tmp_path / "sound.json").unlink()
    assert run.main(["--only", "sound"], tmp_path) == 0
    assert (tmp_path / "data.json").read_bytes() == before
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert [line for line in page.splitlines() if line.startswith("## ")] == [
        "## Lessons",
        "## Data",
        "## Sound",
    ]
    assert json.loads((tmp_path / "lessons.json").read_text(encoding="utf-8"))["rows"] == [ROW]


def test_a_failing_lesson_fails_the_run_and_writes_nothing(tmp_path, measured, monkeypatch, capsys):
    def fails():
        raise lessons.LessonFails("03_autoencoder.ipynb fails in cell 2: it died")

    monkeypatch.setitem(run.BENCHMARKS, "lessons", fails)
    assert run.main([], tmp_path) == 1
    assert "03_autoencoder.ipynb fails in cell 2" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_bytes_are_counted_per_twenty_seconds(monkeypatch):
    from musiclab import show

    monkeypatch.setattr(show, "synthesize", lambda piece: ([0.0] * 500, 100))  # five seconds
    monkeypatch.setattr(show, "mp3_bytes", lambda samples, rate: b"x" * 30)
    monkeypatch.setattr(show, "play", lambda piece: SimpleNamespace(html="é" * 50))
    found = sound.size("any piece")
    assert (found["mp3"], found["page"]) == (120, 400)
