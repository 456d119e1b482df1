"""The stop-watch: runs take turns, medians are of what counts."""

import time

from benchmarks.speed import _pair, timed


def test_runs_take_turns_and_the_first_do_not_count():
    order = []

    def slow():
        order.append("slow")
        time.sleep(0.5 if len(order) < 5 else 0.01)  # a first run that traces a graph

    found = timed({"slow": slow, "quick": lambda: order.append("quick")}, times=3)
    assert order == ["slow", "quick"] * 5
    assert 10 <= found["slow"]["wall_ms"] < 300
    assert found["quick"]["wall_ms"] < 5
    assert found["slow"]["cpu_ms"] < found["slow"]["wall_ms"]  # asleep


def test_ratios_are_to_the_base():
    found = {"b": {"cpu_ms": 30.0, "wall_ms": 1.0}, "a": {"cpu_ms": 40.0, "wall_ms": 1.0}}
    assert [(row["what"], row["ratio"]) for row in _pair(found, "a")] == [("a", 1.0), ("b", 0.75)]
