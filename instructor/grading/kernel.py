"""A sandboxed Jupyter kernel: start, execution of cells, resource limits, clean-up."""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from queue import Empty

import nbformat
import psutil
import zmq
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.client import CellExecutionComplete
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbclient.util import run_sync
from nbformat.v4 import new_code_cell, new_output

from instructor.grading import kernel_guard, sandbox

__all__ = ["Client", "MachineFault", "Stopped", "Watch", "started"]

PREFIX = "mlg"
PIPES = ("report", "gate")  # from a kernel and to it, in the folder that it can write to
MESSAGE_BYTES = 10_000_000  # a larger one ends the connection for a moment: what is in it is lost
MOST_WAITING = 20  # messages on this side; those beyond wait in the kernel's own memory
HOME_BYTES = 20_000_000  # the only folder on disk that a kernel can write to: it holds its sockets
LOOK_EVERY = 0.2  # s
ANSWER_SECONDS = 2.0  # for an interrupted kernel to be ready again
REPORT_SECONDS = 1.0  # for the observer's report to arrive
MOST_FILES, MOST_OPEN = 20_000, 2_000  # each takes memory of the system's own
TOO_LONG = "the whole notebook took too long"
# The last program before a kernel. bubblewrap is bound to the grader's life only from a moment after
# its start; from then on the grader opens this gate. A grader that is gone never does.
GATE = """import os, sys
report, gate, *words = sys.argv[1:]
gate = os.open(gate, os.O_RDONLY | os.O_NONBLOCK)
os.set_blocking(gate, True)
report = os.open(report, os.O_WRONLY | os.O_NONBLOCK)
os.write(report, b"\\n")
if os.read(gate, 1):
    os.execv(words[0], words)
"""


class Stopped(Exception):
    """A kernel is gone, or does not come back; the message says why, for student and instructor."""


class MachineFault(RuntimeError):
    """The machine failed, not the submission: it is to be graded again; the message says what happened."""


class Watch(threading.Thread):
    """Ends a kernel that uses more than it may.

    Attributes:
        reason: why it did, in words; None if it did not.
    """

    def __init__(self, process, home: Path, limits: sandbox.Limits, end: float):
        super().__init__(daemon=True)
        self.process, self.home, self.limits, self.end = process, home, limits, end
        self.memory, self.reason = limits.memory_mb * 1_000_000, None
        self._over, self._pause = threading.Event(), LOOK_EVERY

    def run(self):
        while not self._over.wait(self._pause):
            self.reason = self._excess()
            if self.reason:
                end_all(self.process)
                return

    def stop(self):
        """Look no more."""
        self._over.set()
        self.join()

    def _excess(self):
        if time.monotonic() > self.end:
            return TOO_LONG
        with contextlib.suppress(psutil.Error):
            root = psutil.Process(self.process.pid)
            tree = [root, *root.children(recursive=True)]
            kept, inodes = _in_memory_folders(tree)
            if inodes > MOST_FILES:
                return f"more than {MOST_FILES} files were made"
            taken = sum(map(_resident, tree)) + kept
            # a fast machine writes a gigabyte between two looks: what grows is looked at more often
            self._pause = LOOK_EVERY / (5 if taken > self.memory / 4 else 1)
            # pages that processes share are counted once, which takes longer and is seldom needed
            if taken > self.memory and sum(map(_own_share, tree)) + kept > self.memory:
                return f"more than {self.limits.memory_mb} MB of memory were used"
            if sum(map(_open_files, tree)) > MOST_OPEN and _buffers(tree) > MOST_OPEN:
                return f"more than {MOST_OPEN} sockets and pipes were open at once"
        files = [Path(folder) / name for folder, _, names in os.walk(self.home) for name in names]
        if len(files) > 100 or sum(_size(file) for file in files) > HOME_BYTES:
            return "files were written where none belong"
        return None


def end_all(process) -> None:
    """End a sandbox from outside: its first inner process, with which all others die, then bubblewrap."""
    for inner in inner_processes(process):
        with contextlib.suppress(psutil.Error):
            inner.kill()
    with contextlib.suppress(OSError):
        process.kill()


def inner_processes(process) -> list[psutil.Process]:
    """All processes that one has started; one that took the number of another that ended is told from it."""
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.Error:
        return []


class Client(NotebookClient):
    """Runs cells; keeps no more of their output than it may, and notices a kernel that does not come back."""

    def __init__(self, nb, watch=None, output_bytes=2_000_000, **options):
        # an error is an outcome of a cell; that output may come late is no reason to lose the
        # others
        super().__init__(nb, **options)
        self.allow_errors, self.raise_on_iopub_timeout = True, False
        self.interrupt_on_timeout, self.record_timing = True, False
        self.error_on_timeout = {
            "ename": "CellTimeoutError",
            "evalue": f"the cell took longer than {self.timeout} s and was stopped",
            "traceback": [f"The cell took longer than {self.timeout} s and was stopped."],
        }
        self.watch, self.output_bytes = watch, output_bytes
        self.on_cell_executed = self._replied
        self.late = self.asked_to_exit = self.cut = self.succeeded = False
        self.report, self._displays = None, {}

    def run(self, cell, index):
        """Run a cell of the notebook, in place; `succeeded` says afterwards whether it came to its end.

        Raises:
            Stopped: if the kernel is no longer fit for the next cell.
        """
        self.late = self.asked_to_exit = self.cut = self.succeeded = False
        self._bytes = 0
        try:
            self.execute_cell(cell, index)
        except (DeadKernelError, CellTimeoutError) as error:
            why = self._why()
            if why is None and _killed_for_memory() != self.killed_before:
                raise MachineFault("the machine ran out of memory") from error
            raise Stopped(why or "the kernel died") from error
        finally:
            if self.cut:
                cell.outputs.append(_text("... more output was cut ...\n"))
        if self.asked_to_exit:
            raise Stopped("the code ended the kernel")
        if self.late and not self._answers():
            raise Stopped(self._why() or "the code could not be interrupted")

    def _why(self):
        if self.watch is not None:
            for _ in range(10):  # the kernel dies a moment before its watch says why
                if self.watch.reason or not self.watch.is_alive():
                    break
                time.sleep(LOOK_EVERY / 4)
            return self.watch.reason
        return None

    async def _answer(self):
        """After a timeout: wait until the kernel is ready for more."""
        asked, end = self.kc.kernel_info(), time.monotonic() + ANSWER_SECONDS
        while (left := end - time.monotonic()) > 0:
            with contextlib.suppress(Empty):
                message = await self.kc.shell_channel.get_msg(timeout=left)
                if message["parent_header"].get("msg_id") == asked:
                    return True
        return False

    _answers = run_sync(_answer)

    async def _async_handle_timeout(self, timeout, cell=None):
        self.late = True
        return await super()._async_handle_timeout(timeout, cell)

    async def _replied(self, cell, cell_index, execute_reply):
        content = execute_reply["content"]
        self.succeeded = content["status"] == "ok" and not self.late
        self.asked_to_exit = any(
            one.get("source") == "ask_exit" for one in content.get("payload", [])
        )
        if content["status"] == "error":
            names = [output.ename for output in cell.outputs if output.output_type == "error"]
            if content["ename"] not in names:
                cell.outputs.append(
                    _error(content["ename"], content["evalue"], content["traceback"])
                )

    def process_message(self, msg, cell, cell_index):
        content = msg["content"]
        size = (
            len(str(content.get("text", ""))) + len(str(content.get("data", "")))
            if msg["msg_type"] in _OUTPUT
            else 0
        )
        self._bytes += size
        if size and self._bytes > self.output_bytes:
            self.cut = True
            return None
        try:
            return super().process_message(msg, cell, cell_index)
        except CellExecutionComplete:
            raise
        except Exception:  # a message that no kernel sends, made by the student's code
            self.cut = True
            return None

    def output(self, outs, msg, display_id, cell_index):
        made = super().output(outs, msg, None, cell_index)
        if display_id and made is not None:
            self._displays.setdefault(display_id, []).append(made)
        return made

    def _update_display_id(self, display_id, msg):
        """Update what was displayed under this id, in whichever cell; nbclient looks for it by a cell's number."""
        for shown in self._displays.get(display_id, []):
            shown["data"] = nbformat.from_dict(msg["content"]["data"])
            shown["metadata"] = nbformat.from_dict(msg["content"].get("metadata", {}))

    def clear_display_id_mapping(self, cell_index):
        """What was cleared may be updated without harm."""

    def handle_comm_msg(self, outs, msg, cell_index):
        """Widgets, which could redirect the output of later cells, are not taken part in."""


class Report:
    """The grader's ends of the pipe from the observer in a kernel (see `kernel_guard`), and of its gate.

    Attributes:
        passed: names of the tests that were reported to have reached their end.
        intact: names of the checks that were reported to be done.
        changed: what of the kernel or of the course's checks was found changed.
        read: how the student's code looked into the programs that run it.
        closed: whether the observer was silenced.
    """

    def __init__(self, path: Path, gate: Path):
        self.path, self.token = path, secrets.token_hex(8)
        for pipe, mode in ((path, 0o622), (gate, 0o644)):
            os.mkfifo(pipe, mode)
            pipe.chmod(mode)
        self._end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self._gate = os.open(gate, os.O_RDWR | os.O_NONBLOCK)
        self.passed, self.intact, self.changed, self.read = set(), set(), [], []
        self.closed, self._rest = False, b""

    def open_gate(self, process) -> None:
        """Let a kernel start that waits at its gate (see `GATE`).

        Raises:
            RuntimeError: if its sandbox ends before.
        """
        while not select.select([self._end], [], [], LOOK_EVERY)[0]:
            if process.poll() is not None:
                raise RuntimeError("its sandbox ended")
        os.read(self._end, 1)
        os.write(self._gate, b"\n")

    def collect(self) -> None:
        """Take in what has arrived."""
        for _ in range(100):
            try:
                data = os.read(self._end, 65536)
            except BlockingIOError:
                return
            if not data:
                self.closed = True
                return
            *lines, rest = (self._rest + data).split(b"\n")
            self._rest = rest[-1000:]
            for line in lines:
                self._take(line.decode("utf-8", errors="replace").split(" ", 2))

    def wait_for(self, name: str, where: set[str]) -> bool:
        """Whether a message about `name` has arrived or arrives soon."""
        end = time.monotonic() + REPORT_SECONDS
        while True:
            self.collect()
            if name in where or self.closed or time.monotonic() > end:
                return name in where
            time.sleep(0.01)

    def close(self):
        """Read no more."""
        os.close(self._end)
        os.close(self._gate)

    def _take(self, words):
        if len(words) != 3 or words[0] != self.token:
            return
        _, kind, what = words
        if kind == kernel_guard.PASSED:
            self.passed.add(what)
        elif kind == kernel_guard.INTACT:
            self.intact.add(what)
        elif kind in (kernel_guard.CHANGED, kernel_guard.READ):
            known = self.changed if kind == kernel_guard.CHANGED else self.read
            if what not in known and len(known) < 20:
                known.append(what)


_OUTPUT = ("stream", "display_data", "update_display_data", "execute_result")


class _Manager(AsyncKernelManager):
    """Starts one given command as a kernel."""

    def __init__(self, words, user, **options):
        super().__init__(**options)
        self._kernel_spec = KernelSpec(
            argv=words, display_name="boxed", language="python", interrupt_mode="message"
        )
        self._user = user

    def write_connection_file(self, **keywords):
        super().write_connection_file(**keywords)
        if self._user is not None:
            os.chown(self.connection_file, self._user.uid, self._user.uid)


@contextlib.contextmanager
def started(
    notebook, files: list[Path], limits: sandbox.Limits, end: float, unsafe=False, **options
):
    """A client of a new kernel, which is gone afterwards with all that it has started.

    Args:
        notebook: the notebook whose cells it will run.
        files: the student's files beside the notebook.
        limits: what it may use.
        end: when it must have finished, in s of `time.monotonic`.
        unsafe: without a box.
        options: of `Client`.

    Yields:
        Client.

    Raises:
        MachineFault: if the kernel does not start.
    """
    home = Path(
        tempfile.mkdtemp(prefix=PREFIX)
    )  # short: a socket's path has 107 characters at most
    manager = client = watch = report = process = None
    try:
        (home / "pid").write_text(str(os.getpid()), encoding="ascii")
        manager, folder, inside = _manager(home, files, limits, unsafe)
        client = Client(notebook, km=manager, resources={"metadata": {"path": folder}}, **options)
        # what it writes past Jupyter goes nowhere
        variables = dict(os.environ) if unsafe else sandbox.environment()
        client.killed_before = _killed_for_memory()
        try:
            report = client.report = Report(*(inside / name for name in PIPES))
            client.start_new_kernel(
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=variables
            )
            process = manager.provisioner.process
            watch = client.watch = Watch(process, home, limits, end)
            watch.start()
            if not unsafe:
                report.open_gate(process)
            client.start_new_kernel_client()
            first = notebook.cells[0]
            client.run(new_code_cell(kernel_guard.source(str(report.path), report.token)), 0)
            notebook.cells[0] = first  # nbclient puts there what it has run
            if not client.succeeded:
                raise RuntimeError("its observer could not be installed")
        except (RuntimeError, OSError, Stopped) as error:
            if watch is not None and watch.reason == TOO_LONG:
                raise Stopped(TOO_LONG) from error
            raise MachineFault(f"the kernel did not start ({error})") from error
        yield client
    finally:
        if watch is not None:
            watch.stop()
        inner = [] if process is None else inner_processes(process)
        if client is not None and client.km is not None:
            client.shutdown_kernel = "immediate"
            with contextlib.suppress(Exception):  # it is gone already
                client._cleanup_kernel()
        for one in inner:  # those that did not die with bubblewrap
            with contextlib.suppress(psutil.Error):
                one.kill()
        if report is not None:
            report.close()
        shutil.rmtree(home, ignore_errors=True)


def remove_leftovers() -> None:
    """Remove what graders that were killed have left in the folder for temporary files."""
    for home in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, ValueError):
            pid = int((home / "pid").read_text(encoding="ascii"))
            if home.stat().st_uid == os.getuid() and not psutil.pid_exists(pid):
                shutil.rmtree(home, ignore_errors=True)


def _manager(home, files, limits, unsafe):
    words = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    user, inside = sandbox.Nowhere.choose(), home / "k"
    inside.mkdir(mode=0o700)
    if unsafe:
        for file in files:
            shutil.copy(file, inside / file.name)
        return _Manager(words, None, connection_file=str(home / "kernel.json")), str(inside), home
    if user.real:
        home.chmod(0o711)
        os.chown(inside, user.uid, user.uid)
    where = {
        "transport": "ipc",
        "ip": str(inside / "s"),
        "connection_file": str(inside / "kernel.json"),
    }
    gate = [sys.executable, "-I", "-S", "-c", GATE, *(str(inside / name) for name in PIPES)]
    words = sandbox.command(inside, files, limits, user, [*gate, *words])
    manager = _Manager(words, user if user.real else None, **where)
    manager.context.setsockopt(zmq.MAXMSGSIZE, MESSAGE_BYTES)
    manager.context.setsockopt(zmq.RCVHWM, MOST_WAITING)
    return manager, str(home), inside


def _killed_for_memory():
    """How many processes the system has ended since its start for want of memory."""
    try:
        text = Path("/proc/vmstat").read_text(encoding="ascii")
    except OSError:
        return 0
    return next(
        (int(line.split()[1]) for line in text.splitlines() if line.startswith("oom_kill ")), 0
    )


def _in_memory_folders(tree):
    """(bytes, files) in the sandbox's folders in memory."""
    outside = Path("/").stat().st_dev
    for process in reversed(tree):
        root = Path(f"/proc/{process.pid}/root")
        with contextlib.suppress(OSError):
            if root.stat().st_dev == outside or not (root / sandbox.INSIDE[1:]).is_dir():
                continue  # bubblewrap, or no sandbox
            found = [os.statvfs(root / folder[1:]) for folder in sandbox.MEMORY_FOLDERS]
            used = sum((one.f_blocks - one.f_bfree) * one.f_frsize for one in found)
            return used, sum(one.f_files - one.f_ffree for one in found)
    return 0, 0


def _buffers(tree):
    """How many sockets and pipes there are; each holds memory that no process is charged for."""
    found = set()
    for process in tree:
        with contextlib.suppress(OSError):
            for entry in os.scandir(f"/proc/{process.pid}/fd"):
                with contextlib.suppress(OSError):
                    found.add(str(Path(entry.path).readlink()))
    return sum(name.startswith(("socket:", "pipe:")) for name in found)


def _open_files(process):
    try:
        return process.num_fds()
    except psutil.Error:
        return 0


def _resident(process):
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


def _own_share(process):
    try:
        return process.memory_full_info().pss
    except (psutil.AccessDenied, AttributeError):
        return _resident(process)
    except psutil.Error:
        return 0


def _size(file):
    try:
        return file.lstat().st_blocks * 512
    except OSError:
        return 0


def _error(name, value, traceback):
    return new_output(
        "error", ename=name, evalue=value, traceback=traceback or [f"{name}: {value}"]
    )


def _text(words):
    return new_output("stream", name="stdout", text=words)
