"""Everything that `make test` tests, part by part, with one summary at the end.

`--lesson 03` tests one lesson: the rules for its notebook, then the notebook itself from top to
bottom. `--quick` tests what takes no notebook, no browser and no long training.
All parts run even if one fails; the exit status is 1 if any failed. Where the system allows it, the
network is off. Unit tests are spread over the cores file by file; as many lessons run at once, each
in a kernel of its own, and in the end the website beside the answers stored for exercises.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import claims  # noqa: E402
import reset_lesson  # noqa: E402  (found through the line above)

from musiclab.setup import lab  # noqa: E402

HTML = ROOT / "build" / "lessons"
CELL_SECONDS = (
    120  # a lesson's training cell takes at most 30 s on two cores; this is for a busy machine
)
LESSON_SECONDS = 600
PART_SECONDS = 1800
# parts of their own: they need a browser, or servers (`make test-services`)
APART = ("--ignore=tests/browser", "--ignore=tests/site", "--ignore=tests/services")
QUICK = ("data", "metrics", "models", "sampling", "equations", "claims", "checks", "setup")
SLOWEST = 20  # tests named at the end of the longest part
AT_ONCE = max(
    1, min(4, os.cpu_count() or 1)
)  # processes; a lesson may take 1.5 GB, and four of them no more than 6


@dataclass
class Part:
    """The outcome of one part."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    note: str = ""

    def row(self):
        """One line of the summary."""
        word = "FAILED" if self.failed else "passed" if self.passed else "skipped"
        counts = f"{self.passed:>5} passed {self.failed:>3} failed {self.skipped:>3} skipped"
        return f"{self.name:<32} {word:<8}{counts}{self.seconds:>8.1f} s  {self.note}".rstrip()


def style():
    """Ruff: rules and format."""
    part, begin = Part("style"), time.monotonic()
    for words in (["check", "."], ["format", "--check", "."]):
        status = subprocess.run(
            [sys.executable, "-m", "ruff", *words], cwd=ROOT, check=False
        ).returncode
        part.failed += status != 0
        part.passed += status == 0
    part.seconds = time.monotonic() - begin
    return part


def pytest_part(name, arguments, seconds=PART_SECONDS, quiet=False):
    """Run pytest on something and count; a quiet part prints what it said when it has ended, in one piece."""
    part, begin = Part(name), time.monotonic()
    if not quiet:
        print(f"\n=== {name}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        words = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--no-header",
            "--continue-on-collection-errors",
            f"--junitxml={report}",
            *arguments,
        ]
        kept = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} if quiet else {}
        try:
            done = subprocess.run(words, cwd=ROOT, timeout=seconds, check=False, **kept)
            status, output = done.returncode, done.stdout
        except subprocess.TimeoutExpired as late:
            status, output, part.note = 1, late.stdout, f"stopped after {seconds} s"
        if quiet:
            print(
                f"\n=== {name}\n" + (output or b"").decode("utf-8", errors="replace"),
                end="",
                flush=True,
            )
        if report.is_file():
            read_report(report, part)
    if status not in (0, 5) and not part.failed:
        part.failed = 1  # pytest itself went wrong
    part.seconds = time.monotonic() - begin
    return part


def read_report(report, part):
    """Add the counts of a JUnit file to a part, and why tests were skipped if all were."""
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        failed = int(suite.get("failures")) + int(suite.get("errors"))
        skipped = int(suite.get("skipped"))
        part.failed += failed
        part.skipped += skipped
        part.passed += int(suite.get("tests")) - failed - skipped
        if skipped and not part.passed and not failed:
            part.note = next(suite.iter("skipped")).get("message")


def lesson_part(notebook):
    """Run a lesson from top to bottom in a fresh kernel of this environment; leave HTML if it fails."""
    options = [
        "--nbval-lax",
        "--nbval-current-env",
        f"--nbval-cell-timeout={CELL_SECONDS}",
        "-p",
        "no:cacheprovider",
    ]
    part = pytest_part(
        f"lesson {notebook.stem}", [*options, str(notebook)], LESSON_SECONDS, quiet=True
    )
    if part.failed:
        page = HTML / f"{notebook.stem}.html"
        words = [sys.executable, str(ROOT / "scripts" / "lesson_html.py"), str(notebook), str(page)]
        with tempfile.TemporaryDirectory() as own:
            variables = lab.environment(dict(os.environ), Path(own))
            subprocess.run(words, cwd=ROOT, env=variables, timeout=LESSON_SECONDS, check=False)
        part.note = f"see {page.relative_to(ROOT).as_posix()}" if page.is_file() else part.note
    return part


def exercises_part(found, workers):
    """Run solved exercises that have claims, each lesson's in a fresh kernel; the claims after it.

    Those without claims are run once, by :func:`answers_part`.
    """
    found = [master for master in found if claims.file_of(master).is_file()]
    if not found:
        return Part("exercises' claims", note="no exercise has claims")
    options = [
        "--nbval-lax",
        "--nbval-current-env",
        f"--nbval-cell-timeout={CELL_SECONDS}",
        "-p",
        "no:cacheprovider",
    ]
    return pytest_part("exercises' claims", [*options, *workers, *map(str, found)])


def answers_part(found):
    """Grade the answers stored for exercises, and print what caught what; each lesson counts as one test."""
    name = "exercises, stored answers"
    return _exercise_command(name, "instructor.answers", r"^\d\d[a-z]?_\w+: .* 0 problems; ", found)


def mutants_part(found):
    """Mutate the exercises' solutions, and print which changes keep their points; each lesson counts as one test."""
    name = "exercises, mutated solutions"
    return _exercise_command(
        name, "instructor.solution_mutants", r"^\d\d[a-z]?_\w+: \d+ mutants", found
    )


def _exercise_command(name, module, passed, found):
    """Run a command on masters; the lessons that passed are the lines of its output that match."""
    part, begin = Part(name), time.monotonic()
    words = [sys.executable, "-m", module, *(master.stem for master in found)]
    done = subprocess.run(
        words, cwd=ROOT, timeout=PART_SECONDS, stdout=subprocess.PIPE, check=False
    )
    said = done.stdout.decode("utf-8", errors="replace")
    print(f"\n=== {part.name}\n{said}", flush=True)
    part.passed = len(re.findall(passed, said, re.M))
    part.failed = max(len(found) - part.passed, int(done.returncode != 0))
    part.seconds = time.monotonic() - begin
    return part


def masters():
    """The exercises with their solutions, by lesson; a student's copy of the course has none."""
    return sorted((ROOT / "instructor" / "source").glob("*/*.ipynb"))


def all_parts(number, site=False, quick=False):
    """Run the parts in order, yielding each when it is done."""
    folder = ROOT / "notebooks"
    # a file's tests stay together: they share what its fixtures have trained
    spread = ["-n", str(AT_ONCE), "--dist", "loadfile"] if AT_ONCE > 1 else []
    if quick:
        yield style()
        chosen = [f"tests/{name}" for name in QUICK]
        yield pytest_part("quick tests", [*chosen, *spread, "-m", "not slow"])
        return
    if site:
        os.environ["MUSICLAB_SITE"] = "build/site"
        yield pytest_part("website, every page", ["tests/site"])
        return
    if number:
        notebook = reset_lesson.find_lesson(number, folder)
        yield pytest_part(f"rules for {notebook.stem}", ["tests", *APART, "-k", notebook.stem])
        yield lesson_part(notebook)
        if found := [master for master in masters() if master.stem == notebook.stem]:
            yield exercises_part(found, [])
            yield answers_part(found)
            yield mutants_part(found)
        return
    yield style()
    folders = [name for name in ("tests", "musiclab", "instructor") if (ROOT / name).is_dir()]
    yield pytest_part("unit tests", [*folders, *APART, *spread, f"--durations={SLOWEST}"])
    lessons = [*reset_lesson.lessons(folder), *reset_lesson.appendices(folder)]
    if not lessons:
        yield Part("lessons", failed=1, note="there are none in notebooks/")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(lesson_part, lessons)
    found = masters()
    if found:
        yield exercises_part(found, spread)
    # each of these keeps one core busy at most times; the longest begins
    last = [partial(pytest_part, "website", ["tests/site"], quiet=True)]
    last += [partial(answers_part, found)] if found else []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(lambda run: run(), last)
    yield pytest_part(
        "browser", ["tests/browser"]
    )  # alone: it types keys into a page that must keep up


def without_network(arguments):
    """Start this program again in a network namespace of its own; returns its exit status, None if not allowed."""
    unshare = shutil.which("unshare") if sys.platform == "linux" else None
    if unshare is None:
        return None
    # -r: an ordinary user may have a network namespace only inside a user namespace
    words = [unshare, "-n"] if os.geteuid() == 0 else [unshare, "-r", "-n"]
    probe = [sys.executable, str(Path(__file__)), "--offline", "probe"]
    if subprocess.run([*words, *probe], capture_output=True, check=False).returncode:
        return None
    again = [sys.executable, str(Path(__file__)), "--offline", "run", *arguments]
    return subprocess.run([*words, *again], check=False).returncode


def raise_loopback():
    """Switch on `lo`, without which not even JupyterLab and its kernel can talk; OSError where not allowed."""
    import fcntl
    import struct

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        set_flags, up_and_running = 0x8914, 0x1 | 0x40  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING
        fcntl.ioctl(control, set_flags, struct.pack("16sh14x", b"lo", up_and_running))
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=2).close()


def main(arguments=None):
    """Run what was asked for and summarise; 0 if nothing failed."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lesson", default="", help="number of one lesson, such as 03 or 16b")
    parser.add_argument(
        "--quick", action="store_true", help="no notebook, no browser, no long training"
    )
    parser.add_argument(
        "--site", action="store_true", help="test the website in build/site, every page"
    )
    parser.add_argument(
        "--offline", choices=["probe", "run"], help="used inside the namespace without a network"
    )
    options = parser.parse_args(arguments)
    if options.offline:
        raise_loopback()
        if options.offline == "probe":
            return 0
    else:
        status = without_network(arguments)
        if status is not None:
            return status
    begin = time.monotonic()
    try:
        parts = list(all_parts(options.lesson, options.site, options.quick))
    except LookupError as error:
        print(error)
        return 1
    return summary(parts, bool(options.offline), time.monotonic() - begin)


def summary(parts, offline, seconds):
    """Print the result of each part and the time of all together; 0 if nothing failed."""
    print("\n=== summary")
    print("\n".join(part.row() for part in parts))
    state = "off" if offline else "on (this system does not let the tests switch it off)"
    skipped = sum(part.skipped for part in parts)
    print(f"{seconds:.0f} s in all ({AT_ONCE} at once), {skipped} skipped; the network was {state}")
    failed = sum(part.failed for part in parts)
    print(f"{sum(part.passed for part in parts)} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
