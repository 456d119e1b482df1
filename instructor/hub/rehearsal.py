"""An assignment on a hub of this machine, from its release to the feedback: what works before a class comes.

    python -m instructor.hub.rehearsal --students 3

Run by root. It makes accounts (`mlclass...`, with its process number in them) and takes them away again,
and those of a rehearsal that was killed before it could; starts JupyterHub with `jupyterhub_config.py` on
free ports of the loopback interface, and acts as teacher and students through the hub: nothing is faked
but their answers, which are stored ones. Steps that all students take, they take at once.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import psutil
import requests

from instructor import student_edition
from instructor.answers import load as stored_answers
from instructor.grading import master_notebook
from instructor.grading.sample_class import submission
from instructor.settings import ANSWERS, HERE, ROOT, SOURCE

__all__ = [
    "Failed",
    "Rehearsal",
    "free_port",
    "left_behind",
    "main",
    "missing",
    "remove_left_behind",
]

ASSIGNMENT = "00_first_listen"
ACCOUNT = re.compile(r"mlclass(?P<process>\d+)x[a-z0-9]+")  # of the rehearsal in that process
TOKEN = "a-token-of-the-rehearsal-alone"
PROXY = ROOT / "build" / "npm" / "node_modules" / ".bin" / "configurable-http-proxy"
PROXY_VERSION = "5.3.0"
PORTS = range(20_000, 32_000)  # below those that Linux gives to outgoing connections
START_SECONDS = 240  # for a server to answer, whatever else runs on this machine
GRADING_SECONDS = 4000  # `make grade` itself ends after an hour
OVERRIDES = """
load_subconfig({shipped!r})
c.JupyterHub.bind_url = "http://127.0.0.1:{public}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy}"
c.ConfigurableHTTPProxy.command = [{program!r}]
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie"
c.ConfigurableHTTPProxy.pid_file = "{folder}/proxy.pid"
c.JupyterHub.concurrent_spawn_limit = 10
c.JupyterHub.services = [{{"name": "rehearsal", "api_token": {token!r}}}]
c.JupyterHub.load_roles = [
    {{"name": "rehearsal", "services": ["rehearsal"],
      "scopes": ["admin:users", "admin:servers", "access:servers", "tokens"]}}
]
"""


class Failed(RuntimeError):
    """A step did not do what it should; the message says which."""


def missing() -> str | None:
    """What this machine lacks for a rehearsal, in words; None if nothing."""
    if os.geteuid() != 0:
        return "a hub that starts servers as other accounts is run by root"
    program = _proxy()
    if program is None:
        package = f"configurable-http-proxy@{PROXY_VERSION}"
        return f"the hub's proxy is not installed: npm install --prefix build/npm {package}"
    tried = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    if tried.returncode:
        return f"{program} does not run; it needs Node.js 20 or later: {tried.stderr[-300:]}"
    try:
        import jupyterhub  # noqa: F401
    except ModuleNotFoundError:
        return 'JupyterHub is not installed: .venv/bin/pip install -c constraints.txt -e ".[hub]"'
    return None


def _proxy():
    """The proxy's program: the newer one of this clone, or one installed for everybody; None without."""
    return str(PROXY) if PROXY.is_file() else shutil.which("configurable-http-proxy")


class Rehearsal:
    """A hub with a teacher and students; to be used in a `with`.

    Args:
        students: how many.

    Attributes:
        teacher: the teacher's account.
        students: theirs.
        seconds: {step: how long it took}, in order.
    """

    def __init__(self, students: int = 3):
        prefix = f"mlclass{os.getpid()}x"
        self.teacher = f"{prefix}teacher"
        self.students = [f"{prefix}{number:02}" for number in range(1, students + 1)]
        self.seconds, self.tokens, self.peak_mb = {}, {}, 0
        self.folder = Path(tempfile.mkdtemp(prefix="musiclab-hub-"))
        self.folder.chmod(0o755)
        self.hub = None

    def __enter__(self):
        try:
            with self.step("accounts, course and exchange"):
                self._prepare()
            with self.step("hub"):
                self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error):
        if self.hub is not None:
            for one in self._processes():
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
            self.hub.wait()
        remove_left_behind()
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextlib.contextmanager
    def step(self, name: str):
        """Measure what is done inside."""
        begin = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - begin, 1)

    def _processes(self):
        parent = psutil.Process(self.hub.pid)
        return [parent, *parent.children(recursive=True)]

    def measure_memory(self) -> None:
        """Look at the memory of the hub and all servers together, in MB, and keep the most."""
        total = 0
        for one in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                try:
                    total += one.memory_full_info().uss
                except psutil.AccessDenied:  # a container may forbid root to look
                    total += one.memory_info().rss
        self.peak_mb = max(self.peak_mb, round(total / 1e6))

    def home(self, name: str) -> Path:
        """An account's home folder."""
        return Path(pwd.getpwnam(name).pw_dir)

    def _prepare(self):
        remove_left_behind()
        for name in [self.teacher, *self.students]:
            subprocess.run(["useradd", "--create-home", "--shell", "/bin/bash", name], check=True)
            self.home(name).chmod(0o700)
        exchange = self.folder / "exchange"
        exchange.mkdir()
        exchange.chmod(0o777)
        shutil.copy(HERE / "hub" / "nbgrader_config.py", self.folder)
        (self.folder / "nbgrader_config.py").chmod(0o644)
        course = self.home(self.teacher) / "course"
        kept = student_edition.files() | {
            path.relative_to(ROOT).as_posix(): False
            for path in HERE.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        for name in kept:
            (course / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, course / name)
        subprocess.run(["chown", "-R", f"{self.teacher}:", str(course)], check=True)

    def _start(self):
        ports = [free_port() for _ in range(3)]
        self.address = f"http://127.0.0.1:{ports[0]}"
        text = OVERRIDES.format(
            shipped=str(HERE / "hub" / "jupyterhub_config.py"),
            public=ports[0],
            hub=ports[1],
            proxy=ports[2],
            program=_proxy(),
            folder=self.folder,
            token=TOKEN,
        )
        secret = self.folder / "hub"
        secret.mkdir(mode=0o700)
        config = secret / "jupyterhub_config.py"
        config.write_text(text, encoding="utf-8")
        variables = {
            **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            "MUSICLAB_SITE": str(self.folder),
            "MUSICLAB_TEACHERS": self.teacher,
        }
        with (secret / "log").open("wb") as log:
            self.hub = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f", str(config)],
                cwd=secret,
                env=variables,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        end = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(requests.ConnectionError, Failed):
                self.ask_hub("GET", "/")
                return
            if self.hub.poll() is not None or time.monotonic() > end:
                raise Failed(f"the hub does not answer:\n{self.log()[-2000:]}")
            time.sleep(0.3)

    def log(self) -> str:
        """What the hub and all servers have said."""
        return (self.folder / "hub" / "log").read_text(encoding="utf-8", errors="replace")

    def ask_hub(self, method: str, path: str, **more) -> requests.Response:
        """Ask the hub's API, as the rehearsal's own service.

        Raises:
            Failed: if it answers with an error.
        """
        return self._ask(method, f"{self.address}/hub/api{path}", TOKEN, **more)

    def ask(self, name: str, method: str, path: str, **more) -> requests.Response:
        """Ask an account's server, through the hub's proxy.

        Raises:
            Failed: if it answers with an error.
        """
        url = f"{self.address}/user/{name}/{path}"
        return self._ask(method, url, self.tokens[name], **more)

    @staticmethod
    def _ask(method, url, token, **more):
        headers = {"Authorization": f"token {token}"}
        answer = requests.request(method, url, headers=headers, timeout=300, **more)
        if answer.status_code >= 400:
            raise Failed(f"{method} {url}: {answer.status_code} {answer.text[:300]}")
        return answer

    def do(self, name: str, path: str, **more) -> dict:
        """Have a server do something of nbgrader's, and look at `success`: it answers 200 to failures as well.

        Raises:
            Failed: if it did not.
        """
        answer = self.ask(name, "POST", path, **more)
        try:
            said = answer.json()
        except ValueError:
            raise Failed(f"{name} {path}: a page instead of an answer") from None
        if said.get("success") is not True:
            raise Failed(f"{name} {path}: {str(said)[:1500]}")
        return said

    def together(self, action) -> list:
        """What all students do at the same time: `action(name)` for each."""
        with ThreadPoolExecutor(min(10, len(self.students))) as pool:
            return list(pool.map(action, self.students))

    def start_server(self, name: str) -> None:
        """Start an account's server and wait until it answers."""
        self.ask_hub("POST", f"/users/{name}")
        self.ask_hub("POST", f"/users/{name}/server")
        end = time.monotonic() + START_SECONDS
        while not self.ask_hub("GET", f"/users/{name}").json()["servers"].get("", {}).get("ready"):
            if time.monotonic() > end:
                raise Failed(f"the server of {name} does not start:\n{self.log()[-2000:]}")
            time.sleep(0.5)
        scopes = {"scopes": [f"access:servers!user={name}"]}
        self.tokens[name] = self.ask_hub("POST", f"/users/{name}/tokens", json=scopes).json()[
            "token"
        ]

    def of_course(self, name: str, step: str) -> dict:
        """A student's step in the assignment list: fetch, submit or fetch_feedback."""
        asked = {"course_id": "musiclab", "assignment_id": ASSIGNMENT}
        return self.do(name, f"assignments/{step}", data=asked)

    def work(self, name: str) -> None:
        """Fill answers into the notebook that was fetched, as JupyterLab saves it."""
        path = f"api/contents/{ASSIGNMENT}/{ASSIGNMENT}.ipynb"
        notebook = nbformat.from_dict(self.ask(name, "GET", path).json()["content"])
        wanted = master_notebook.load(SOURCE, ASSIGNMENT)
        answers = stored_answers(ANSWERS / f"{ASSIGNMENT}.toml")
        answered = submission(wanted, answers, self.students.index(name))
        sources = {cell.id: cell.source for cell in answered.cells}
        for cell in notebook.cells:
            cell.source = sources[cell.id]
        saved = {"type": "notebook", "format": "json", "content": notebook}
        self.ask(name, "PUT", path, json=saved)

    def make_grade(self) -> str:
        """`make grade` in the teacher's clone, by the teacher; returns what it said.

        Raises:
            Failed: if it did not end well.
        """
        words = ["runuser", "-u", self.teacher, "--", "make", "-o", "test-environment", "grade"]
        words += [f"ASSIGNMENT={ASSIGNMENT}", f"RUN={sys.executable}"]
        variables = {"PATH": os.environ["PATH"], "HOME": str(self.home(self.teacher))}
        done = subprocess.run(
            words,
            cwd=self.home(self.teacher) / "course",
            env=variables,
            capture_output=True,
            text=True,
            timeout=GRADING_SECONDS,
            check=False,
        )
        if done.returncode:
            raise Failed(f"make grade: {done.stdout[-1500:]}{done.stderr[-1500:]}")
        return done.stdout

    def all_day(self) -> None:
        """Everything, from the first server to the last feedback.

        Raises:
            Failed: if a step does not do what it should.
        """
        api = f"formgrader/api/assignment/{ASSIGNMENT}"
        with self.step("the teacher's server"):
            self.start_server(self.teacher)
        with self.step("the students' servers"):
            self.together(self.start_server)
        self.measure_memory()
        with self.step("release"):
            self.do(self.teacher, f"{api}/assign")
            self.do(self.teacher, f"{api}/release")
        with self.step("fetch"):
            self.together(lambda name: self.of_course(name, "fetch"))
        with self.step("work"):
            self.together(self.work)
        with self.step("submit"):
            self.together(lambda name: self.of_course(name, "submit"))
        with self.step("collect"):
            self.do(self.teacher, f"{api}/collect")
        self.measure_memory()
        with self.step("make grade"):
            self.make_grade()
        with self.step("feedback released"):
            self.do(self.teacher, f"{api}/generate_feedback")
            self.do(self.teacher, f"{api}/release_feedback")
        with self.step("feedback fetched"):
            self.together(lambda name: self.of_course(name, "fetch_feedback"))
        self.measure_memory()

    def feedback(self, name: str) -> list[str]:
        """The pages of feedback in a student's home."""
        folder = self.home(name) / ASSIGNMENT / "feedback"
        return [path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.html"))]


def left_behind() -> list[str]:
    """The accounts of rehearsals that were killed: those of this process, and of processes that no longer run."""
    found = []
    for account in pwd.getpwall():
        if match := ACCOUNT.fullmatch(account.pw_name):
            process = int(match["process"])
            if process == os.getpid() or not psutil.pid_exists(process):
                found.append(account.pw_name)
    return found


def remove_left_behind() -> None:
    """Take the accounts of killed rehearsals away."""
    for name in left_behind():
        _take_away(name)


def _take_away(name):
    """End what an account still runs, and delete it with its home."""
    user = pwd.getpwnam(name).pw_uid
    for one in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if one.uids().real == user:
                one.kill()
    subprocess.run(["userdel", "-f", "-r", name], capture_output=True, check=False)


def free_port() -> int:
    """A port of the loopback interface that nothing listens on, and that no outgoing connection is given."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m instructor.hub.rehearsal", description="Rehearse an assignment on a hub."
    )
    parser.add_argument("--students", type=int, default=3)
    parser.add_argument("--check", action="store_true", help="say what is missing, and end")
    options = parser.parse_args(arguments)
    if why := missing():
        print(why, file=sys.stderr)
        return 2
    if options.check:
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an end that takes the accounts away
    try:
        with Rehearsal(options.students) as rehearsal:
            rehearsal.all_day()
            without = [name for name in rehearsal.students if not rehearsal.feedback(name)]
            if without:
                raise Failed(f"no feedback came to {', '.join(without)}")
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    for step, seconds in rehearsal.seconds.items():
        print(f"{step:<32}{seconds:>8.1f} s")
    print(
        f"{options.students} students: {sum(rehearsal.seconds.values()):.0f} s, {rehearsal.peak_mb} MB"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
