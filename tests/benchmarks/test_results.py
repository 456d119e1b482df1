"""The committed results keep the course's promises, and what lessons say about themselves agrees with them."""

import json

import nbformat
import pytest

from benchmarks.lessons import LESSONS
from benchmarks.record import RESULTS, page
from scripts.notebook_reading import stated_cost
from scripts.reset_lesson import lessons

LESSON_S, ALL_S, LESSON_MB = 60, 600, 1500
LOAD_S, MP3_KB = 0.050, 130
PEEPHOLE, GRAPH_LOOP = 1.15, 25  # times the time of Keras' LSTM; times as fast as a loop in Python


def lesson_problems(rows: list[dict], stated: dict[str, tuple | None]) -> list[str]:
    """What is wrong with measured lessons, given what each lesson's header states (seconds, MB)."""
    measured = {row["lesson"]: row for row in rows}
    found = [f"{lesson} is not measured" for lesson in stated if lesson not in measured]
    found += [
        f"{lesson} is measured but no longer there" for lesson in measured if lesson not in stated
    ]
    if (total := sum(row["wall_s"] for row in rows)) > ALL_S:
        found.append(f"all lessons take {total:.0f} s: at most {ALL_S}")
    for lesson, row in measured.items():
        if row["wall_s"] > LESSON_S:
            found.append(f"{lesson} takes {row['wall_s']} s: at most {LESSON_S}")
        if row["peak_mb"] > LESSON_MB:
            found.append(f"{lesson} takes {row['peak_mb']} MB: at most {LESSON_MB}")
        if stated.get(lesson):
            seconds, megabytes = stated[lesson]
            if not _near(seconds, row["wall_s"], factor=1.5, slack=3):
                found.append(f"{lesson} says {seconds:g} s and was measured at {row['wall_s']}")
            if not _near(megabytes, row["peak_mb"], factor=1.25, slack=50):
                found.append(f"{lesson} says {megabytes:g} MB and was measured at {row['peak_mb']}")
    return found


def _near(said, measured, factor, slack):
    return measured / factor - slack <= said <= measured * factor + slack


ROWS = [
    {"lesson": "03_a", "wall_s": 20.0, "peak_mb": 700},
    {"lesson": "04_b", "wall_s": 50.0, "peak_mb": 1400},
]
STATED = {"03_a": (22, 750), "04_b": (50, 1300)}


def test_good_lessons_pass():
    assert lesson_problems(ROWS, STATED) == []


@pytest.mark.parametrize(
    ("rows", "stated", "said"),
    [
        (ROWS[:1], STATED, "04_b is not measured"),
        (ROWS, {"03_a": (22, 750)}, "04_b is measured but no longer there"),
        ([ROWS[0], ROWS[1] | {"wall_s": 60.1}], STATED, "04_b takes 60.1 s"),
        ([ROWS[0], ROWS[1] | {"peak_mb": 1501}], STATED, "04_b takes 1501 MB"),
        (ROWS, STATED | {"03_a": (9, 750)}, "03_a says 9 s and was measured at 20"),
        (ROWS, STATED | {"03_a": (40, 750)}, "03_a says 40"),
        (ROWS, STATED | {"03_a": (20, 450)}, "03_a says 450 MB"),
        (
            [{"lesson": f"{n:02}-x", "wall_s": 55.0, "peak_mb": 9} for n in range(11)],
            {},
            "all lessons take 605 s",
        ),
    ],
)
def test_broken_promises_are_named(rows, stated, said):
    found = lesson_problems(rows, stated)
    assert any(said in problem for problem in found), found


def result(name: str) -> dict:
    file = RESULTS / f"{name}.json"
    if not file.exists():
        pytest.skip(f"{name} not measured yet: make bench")
    return json.loads(file.read_text(encoding="utf-8"))


def test_committed_lessons():
    notebooks = lessons(LESSONS)
    stated = {path.stem: stated_cost(nbformat.read(path, as_version=4)) for path in notebooks}
    found = lesson_problems(result("lessons")["rows"], stated)
    assert not found, "\n".join(found)


def test_committed_loading_times():
    load, parse = result("data")["rows"]
    assert load["wall_s"] <= LOAD_S
    assert load["pieces"] == parse["pieces"] > 900
    assert parse["wall_s"] > 100 * load["wall_s"]


def test_committed_speed():
    lstm, peephole, python, graph = result("speed")["rows"]
    assert lstm["ratio"] == python["ratio"] == 1
    assert peephole["ratio"] <= PEEPHOLE
    assert graph["ratio"] <= 1 / GRAPH_LOOP


def test_committed_large_collection():
    parent, worker, stream, few, many = result("shards")["rows"]
    assert parent["amount"] >= 10_000
    assert parent["wall_s"] <= 300
    assert max(parent["peak_mb"], worker["peak_mb"]) < 500
    assert stream["amount"] >= 10**8
    assert stream["per_s"] >= 10**7
    # linear: what four times the fragments add to some 60 MB of Python is far from 16 times
    assert many["amount"] > 3.5 * few["amount"]
    assert many["peak_mb"] < 2 * few["peak_mb"]


def test_committed_servers():
    found = result("grading_services")["rows"]
    one, two, killed, *hub = found
    assert one["students"] == two["students"] == killed["students"] == 20
    assert all(row["note"].startswith("20 graded") for row in (one, two, killed))
    assert two["wall_s"] < one["wall_s"]
    assert {row["students"] for row in hub} == {40}
    assert "all" in hub[-1]["what"]


def test_committed_sizes_of_sound():
    for row in result("sound")["rows"]:
        assert row["mp3_kb"] <= row["mp3_kb_max"] <= MP3_KB, row["what"]


def test_the_committed_page_is_that_of_the_committed_numbers():
    assert (RESULTS / "README.md").read_text(encoding="utf-8") == page()


@pytest.mark.parametrize(
    "name", ["lessons", "data", "sound", "speed", "latent", "grading", "grading_services"]
)
def test_results_say_what_they_were_measured_on(name):
    found = result(name)
    assert len(found["commit"]) == 40
    assert found["machine"]["cores_used"] <= 2
    assert {"python", "numpy"} <= set(found["versions"])
