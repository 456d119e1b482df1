"""Grading on several machines: a real Dask scheduler and workers, over TLS, with the guide's own commands.

Run by root, each machine is a network, mount and host name namespace of its own, which sees nothing of
the course that is graded; run by others, or where namespaces are forbidden, two processes stand for them.
"""

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from instructor.settings import HERE, ROOT
from tests.services.conftest import ASSIGNMENT, free_port, make_course, marks, missing

pytestmark = pytest.mark.service
GUIDE = (HERE / "README.md").read_text(encoding="utf-8")
SPACES = tuple(f"ml{os.getpid()}{letter}" for letter in "sab")  # of this run alone
PATIENCE = 400  # seconds for what takes twenty on two idle cores


def namespaces_work():
    """Whether this process may make network namespaces."""
    if os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("unshare") is None:
        return False
    script = "ip link add br0 type bridge && ip link add v type veth && mount -t tmpfs none /mnt"
    tried = ["unshare", "-n", "-m", "-u", "sh", "-c", f"hostname tried && {script}"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


class Machines:
    """A scheduler and machines that join it."""

    def __init__(self, folder, certificates):
        self.folder, self.apart = folder, namespaces_work()
        self.environment = {**os.environ, "DASK_CONFIG": str(certificates), "PYTHONPATH": str(ROOT)}
        self.running, self.port = {}, free_port()
        self.host = "10.77.0.1" if self.apart else "127.0.0.1"
        self.address = f"tls://{self.host}:{self.port}"
        self.hidden = folder / "teacher"  # the course that is graded
        self.hidden.mkdir()

    def connect(self):
        """Make the network between the namespaces."""
        if not self.apart:
            print("no namespaces here: two processes stand for two machines")
            return
        for name in SPACES:
            _run("ip", "netns", "add", name)
            _run("ip", "-n", name, "link", "set", "lo", "up")
        _run("ip", "-n", SPACES[0], "link", "add", "br0", "type", "bridge")
        _run("ip", "-n", SPACES[0], "addr", "add", f"{self.host}/24", "dev", "br0")
        _run("ip", "-n", SPACES[0], "link", "set", "br0", "up")
        for number, name in enumerate(SPACES[1:], start=2):
            link = ["ip", "link", "add", f"v{name}", "netns", SPACES[0], "type", "veth"]
            _run(*link, "peer", "name", "eth0", "netns", name)
            _run("ip", "-n", SPACES[0], "link", "set", f"v{name}", "master", "br0", "up")
            _run("ip", "-n", name, "addr", "add", f"10.77.0.{number}/24", "dev", "eth0")
            _run("ip", "-n", name, "link", "set", "eth0", "up")

    def start(self, name, space, words, before=""):
        """Start a command as a machine of some name; what it says goes to its log."""
        if self.apart:
            prepare = f"hostname {name}; mount -t tmpfs none '{self.hidden}'; {before} "
            prepare = prepare if space != SPACES[0] else ""
            prefix = ["ip", "netns", "exec", space, "unshare", "-m", "-u", "sh", "-c"]
            words = [*prefix, prepare + 'exec "$0" "$@"', *words]
        with self.log(name).open("wb") as log:
            self.running[name] = subprocess.Popen(
                [str(word) for word in words],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def join(self, name, space, course, before=""):
        """Start a worker with the guide's command."""
        words = [sys.executable, "-m", "instructor.grading.join", self.address, "--nworkers", "1"]
        words += ["--course", course, "--local-directory", self.folder / f"scratch-{name}"]
        self.start(name, space, [*words, "--death-timeout", PATIENCE], before)

    def log(self, name):
        """The log of a machine."""
        return self.folder / f"{name}.log"

    def wait_for(self, name, words):
        """Wait until a machine has said something."""
        end = time.monotonic() + PATIENCE
        while words not in (text := self.log(name).read_text(encoding="utf-8", errors="replace")):
            waiting = time.monotonic() < end and self.running[name].poll() is None
            assert waiting, f"{name} does not say {words!r}:\n{text[-2000:]}"
            time.sleep(0.2)

    def grades(self, name):
        """Whether a machine has begun its first submission: whether its grading process is there."""
        for one in psutil.Process(self.running[name].pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if "instructor.grading.worker" in one.cmdline():
                    return True
        return False

    def kill(self, name):
        """Pull a machine's plug: every process of it, at once."""
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self.running[name].pid)
            for one in [parent, *parent.children(recursive=True)]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.send_signal(signal.SIGKILL)
        self.running.pop(name).wait()

    def grade(self, course, *words):
        """`make grade` on the teacher's machine, which is the scheduler's."""
        if "teacher" in self.running:
            self.kill("teacher")  # what a test before this one left
        command = [sys.executable, "-m", "instructor.grading.grade_class", ASSIGNMENT]
        command += ["--course", course, "--scheduler", self.address, *words]
        prefix = ["ip", "netns", "exec", SPACES[0]] if self.apart else []
        self.running["teacher"] = subprocess.Popen(
            [str(word) for word in [*prefix, *command]],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self.running["teacher"]

    def close(self):
        """End everything."""
        for name in list(self.running):
            self.kill(name)
        for name in SPACES if self.apart else ():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def _run(*words):
    subprocess.run([str(word) for word in words], check=True, timeout=30, capture_output=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A folder made by the guide's commands, with the guide's `tls.yaml`."""
    if shutil.which("openssl") is None:
        missing("openssl is not installed (Debian: `sudo apt install openssl`)")
    folder = tmp_path_factory.mktemp("tls")
    commands = re.findall(r"^    (openssl .*)$", GUIDE, re.M)
    assert len(commands) == 3
    for command in commands:
        _run("sh", "-c", f"cd '{folder}' && {command}")
    settings = re.search(r"```yaml\n(distributed:.*?)```", GUIDE, re.S)[1]
    (folder / "tls.yaml").write_text(settings.replace("TLS/", f"{folder}/"), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def machines(certificates, box, tmp_path_factory):
    """The scheduler, one machine without a sandbox, one worker started by hand, and two that grade."""
    if importlib.util.find_spec("distributed") is None:
        missing("Dask is not installed: `make services-environment`")
    folder = Path(tempfile.mkdtemp(prefix="musiclab-cluster-"))
    all_of_them = Machines(folder, certificates)
    theirs = make_course(folder / "theirs")
    try:
        all_of_them.connect()
        words = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host"]
        words += [all_of_them.host, "--port", all_of_them.port, "--protocol", "tls"]
        all_of_them.start("scheduler", SPACES[0], [*words, "--no-dashboard"])
        all_of_them.wait_for("scheduler", "Scheduler at")
        by_hand = [sys.executable, "-m", "distributed.cli.dask_worker", all_of_them.address]
        by_hand += ["--nworkers", "1", "--nthreads", "1", "--no-dashboard"]
        by_hand += ["--local-directory", folder / "scratch-byhand"]
        all_of_them.start("byhand", SPACES[1], by_hand)
        all_of_them.join("host1", SPACES[1], theirs)
        all_of_them.join("host2", SPACES[2], theirs)
        for name in ("byhand", "host1", "host2"):
            all_of_them.wait_for(name, "Registered to")
        yield all_of_them
    finally:
        all_of_them.close()
        shutil.rmtree(folder, ignore_errors=True)


def test_a_machine_without_a_sandbox_does_not_join(machines):
    if not machines.apart:
        pytest.skip("without namespaces bubblewrap can't be hidden")
    machines.join(
        "nobox", SPACES[2], machines.folder / "theirs", "mount --bind /dev/null /usr/bin/bwrap;"
    )
    assert machines.running["nobox"].wait(timeout=PATIENCE) == 2
    said = machines.log("nobox").read_text(encoding="utf-8")
    assert "this machine can't grade" in said
    assert "Registered" not in said
    del machines.running["nobox"]


def test_a_killed_machine_costs_no_submission(machines, handed_in, local):
    course = make_course(machines.hidden / "course")
    process = machines.grade(course, "--submissions", handed_in)
    end = time.monotonic() + PATIENCE
    while not machines.grades("host2"):
        assert time.monotonic() < end, "no submission came to host2"
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    machines.kill("host2")
    assert process.poll() is None, "all were graded before the machine was killed"
    said, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said + errors
    assert "TRY AGAIN" not in said
    assert marks(course) == marks(local)
    graded_on = re.search(r"^graded on (.*)$", said, re.M)[1]
    assert sum(map(int, re.findall(r": (\d+)", graded_on))) == 12
    if machines.apart:
        assert set(re.findall(r"(\w+): \d+", graded_on)) <= {"host1", "host2"}  # not by hand
    by_hand = machines.log("byhand").read_text(encoding="utf-8")
    assert "grade_there" not in by_hand
    # but for the file that is no notebook, there is a graded one for each
    shown = [one for one in course.glob("autograded/*/*/*.ipynb") if one.stat().st_size > 1000]
    assert len(shown) == 11


def test_a_machine_with_another_master_says_so(machines, handed_in):
    course = make_course(machines.hidden / "changed")
    master = course / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    text = master.read_text(encoding="utf-8")
    master.write_text(text.replace('"nbformat": 4', '"nbformat":  4'), encoding="utf-8")
    process = machines.grade(course, "--submissions", handed_in)
    said, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1, said + errors
    assert said.count("is another version: its master differs") == 12
    assert not list(course.glob("autograded/*/*/*.ipynb"))


def test_an_address_without_tls_is_refused(handed_in, tmp_path):
    from instructor.grading import grade_class

    course = grade_class.Course(make_course(tmp_path / "course"), ASSIGNMENT)
    options = grade_class.Options(scheduler="tcp://10.0.0.1:8786")
    with pytest.raises(ValueError, match="open to everybody"):
        grade_class.run(course, handed_in, options, say=lambda words: None)
