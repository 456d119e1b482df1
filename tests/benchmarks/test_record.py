"""Stored results: partial runs, the run that each row belongs to, a crash, and the page beside them."""

import json
from pathlib import Path

import pytest

from benchmarks import record


def row(what, value=1.0):
    return {"what": what, "value": value}


@pytest.fixture(scope="module")
def measured():
    return record.record("data", [])


@pytest.fixture
def on(monkeypatch, measured):
    """Set the date and the commit of what is stored next."""

    def set_to(date, commit="a" * 40):
        head = measured | {"date": date, "commit": commit, "uncommitted_changes": False}
        monkeypatch.setattr(
            record,
            "record",
            lambda name, rows: (
                head | {"benchmark": name, "command": f"measure {name}", "rows": rows}
            ),
        )

    return set_to


def stored(folder, name="data"):
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def test_a_partial_run_leaves_the_other_rows_and_their_date(tmp_path, on):
    on("2026-01-01")
    record.store("data", [row("a"), row("b"), row("c")], tmp_path)
    assert "earlier" not in stored(tmp_path)
    on("2026-02-02", "b" * 40)
    record.store("data", [row("b", 2.0), row("d")], tmp_path, keep=True)
    found = stored(tmp_path)
    assert found["rows"] == [row("a"), row("b", 2.0), row("c"), row("d")]
    assert (found["date"], found["commit"]) == ("2026-02-02", "b" * 40)
    (older,) = found["earlier"]
    assert older["rows"] == ["a", "c"]
    assert (older["date"], older["commit"]) == ("2026-01-01", "a" * 40)
    assert {"machine", "versions", "uncommitted_changes", "command"} < set(older)
    on("2026-03-03")
    record.store("data", [row("c", 3.0)], tmp_path, keep=True)
    assert [(run["date"], run["rows"]) for run in stored(tmp_path)["earlier"]] == [
        ("2026-01-01", ["a"]),
        ("2026-02-02", ["b", "d"]),
    ]
    record.store("data", [row("a"), row("b"), row("d")], tmp_path, keep=True)
    assert "earlier" not in stored(tmp_path)  # all rows are of this run again


def test_rows_stored_one_by_one_in_a_run_are_of_that_run(tmp_path, on):
    on("2026-01-01")
    for what in ("b", "a"):
        record.store("data", [row(what)], tmp_path, keep=True, order=("a", "b", "c"))
    assert stored(tmp_path)["rows"] == [row("a"), row("b")]
    assert "earlier" not in stored(tmp_path)


def test_a_whole_run_replaces_the_file(tmp_path, on):
    on("2026-01-01")
    record.store("data", [row("a")], tmp_path, source="x")
    record.store("data", [row("b")], tmp_path)
    assert stored(tmp_path)["rows"] == [row("b")]
    assert "source" not in stored(tmp_path)


def test_a_partial_run_keeps_what_else_the_file_says(tmp_path, on):
    on("2026-01-01")
    record.store("data", [row("a")], tmp_path, source="x", targets=1)
    record.store("data", [row("b")], tmp_path, keep=True, targets=2)
    assert (stored(tmp_path)["source"], stored(tmp_path)["targets"]) == ("x", 2)


def test_rows_of_names_that_are_no_more_go(tmp_path, on):
    on("2026-01-01")
    record.store("data", [row("old"), row("a")], tmp_path)
    on("2026-02-02")
    record.store("data", [row("b")], tmp_path, keep=True, order=("a", "b"))
    assert [one["what"] for one in stored(tmp_path)["rows"]] == ["a", "b"]
    assert stored(tmp_path)["earlier"][0]["rows"] == ["a"]


def test_a_row_may_be_named_by_several_columns(tmp_path, on):
    on("2026-01-01")
    rows = [{"what": "a", "value": 7}, *({"what": "a", "seed": n, "value": n} for n in (0, 1))]
    record.store("data", rows, tmp_path, key=("what", "seed"))
    on("2026-02-02")
    again = rows[2] | {"value": 9}
    record.store("data", [again], tmp_path, key=("what", "seed"), keep=True)
    assert stored(tmp_path)["rows"] == [*rows[:2], again]
    assert stored(tmp_path)["earlier"][0]["rows"] == ["a", "a, 0"]
    with pytest.raises(ValueError, match="two rows have the same what"):
        record.store("data", rows, tmp_path)


@pytest.mark.parametrize("crash", ["while it is made", "while it is written"])
def test_a_crash_leaves_the_old_file(tmp_path, on, monkeypatch, crash):
    on("2026-01-01")
    record.store("data", [row("a")], tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    value = 2.0
    if crash == "while it is made":
        value = object()  # no JSON
    else:
        monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises((TypeError, OSError)):
        record.store("data", [row("a", value)], tmp_path, keep=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_page_follows_and_names_older_rows(tmp_path, on):
    on("2026-01-01")
    record.store("data", [row("a"), row("b")], tmp_path)
    on("2026-02-02", "b" * 40)
    record.store("data", [row("b", 2.5)], tmp_path, keep=True)
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert page == record.page(tmp_path)
    assert "| b | 2.5 |" in page
    assert "`measure data`, 2026-02-02, commit bbbbbbbbbb" in page
    assert "Earlier, by `measure data`, 2026-01-01, commit aaaaaaaaaa: a." in page


def test_results_are_no_changes_of_what_is_measured():
    assert ":!benchmarks/results" in record.MEASURED
