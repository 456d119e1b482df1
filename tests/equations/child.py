"""The process that tries mutations, in a copy of the repository: started by `mutations.run`, never imported.

One process for all, since importing TensorFlow costs more than any test: the copy's own modules are
forgotten between two runs, everything else stays.
"""

import contextlib
import faulthandler
import io
import json
import sys
import time
from pathlib import Path

import pytest

HERE = Path.cwd()
START_SECONDS = 300  # to import TensorFlow on a busy machine
# typing errors would make any test fail: they prove nothing about the test
TYPING_ERRORS = (
    "NameError",
    "UnboundLocalError",
    "SyntaxError",
    "ImportError",
    "ModuleNotFoundError",
)

# -s: a captured stderr would swallow what the watchdog says; addopts: no doctests are looked for
OPTIONS = ["-xsq", "-o", "addopts=", "--import-mode=importlib"]
# unraisableexception collects garbage five times a run, which takes seconds with TensorFlow in
# memory
OPTIONS += [f"-pno:{plugin}" for plugin in ("cacheprovider", "faulthandler", "unraisableexception")]


class Watcher:
    """Collects how each test ended: {node id: (phase, outcome, exception's name, its message)}."""

    def __init__(self, seconds):
        self.ended, self.seconds = {}, seconds

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self):
        faulthandler.dump_traceback_later(self.seconds, exit=True)
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        if report.when == "call" or report.outcome != "passed":
            raised = call.excinfo
            name, message = (raised.typename, str(raised.value)) if raised else ("", "")
            self.ended[item.nodeid] = (report.when, report.outcome, name, message)
        return report


def run_test(test, seconds):
    """Run one test on the copy as it stands; (did it pass, why not, can that be judged)."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name.split(".")[0] in ("musiclab", "tests", "scripts") or (
            file and HERE in Path(file).parents
        ):
            del sys.modules[name]
    watcher, said = Watcher(seconds), io.StringIO()
    arguments = [*OPTIONS, "--rootdir", str(HERE), test]
    faulthandler.dump_traceback_later(START_SECONDS, exit=True)
    with contextlib.redirect_stdout(said):
        status = pytest.main(arguments, plugins=[watcher])
    faulthandler.cancel_dump_traceback_later()
    if not watcher.ended:
        return False, f"no test ran: {said.getvalue()[-300:]}", False
    phase, outcome, name, message = list(watcher.ended.values())[-1]
    if status == 0 and outcome == "passed":
        return True, "passed", True
    first = f"{name}: {message.strip().splitlines()[0] if message.strip() else ''}"[:200]
    return (
        False,
        f"{outcome} in {phase}, {first}",
        phase == "call" and outcome == "failed" and name not in TYPING_ERRORS,
    )


def judge(mutation, seconds, passing):
    """The verdict on one mutation, and why."""
    if mutation["test"] not in passing:
        passed, why, _ = run_test(mutation["test"], seconds)
        if not passed:
            return "error", f"{mutation['test']} does not pass without the mutation: {why}"
        passing.add(mutation["test"])
    file = HERE / mutation["file"]
    source = file.read_bytes()
    file.write_text(
        source.decode("utf-8").replace(mutation["find"], mutation["replace"]),
        encoding="utf-8",
        newline="\n",
    )
    try:
        passed, why, judged = run_test(mutation["test"], seconds)
    finally:
        file.write_bytes(source)
    return ("survived" if passed else "noticed" if judged else "error"), why


def main():
    job = json.load(sys.stdin)
    sys.path[0] = str(HERE)
    with contextlib.suppress(
        ImportError
    ):  # no search for the smallest example: that one fails is all we ask
        from hypothesis import Phase, settings

        settings.register_profile(
            "mutation", phases=[Phase.explicit, Phase.generate], database=None
        )
        settings.load_profile("mutation")
    passing = set()
    with Path(job["results"]).open("a", encoding="utf-8") as results:
        for mutation in job["mutations"]:
            started = time.perf_counter()
            verdict, why = judge(mutation, job["seconds"], passing)
            seconds = round(time.perf_counter() - started, 2)
            print(
                json.dumps({"verdict": verdict, "why": why, "seconds": seconds}),
                file=results,
                flush=True,
            )


if __name__ == "__main__":
    main()
