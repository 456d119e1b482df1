"""A sandboxed Jupyter kernel: start, execution of cells, resource limits, clean-up."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from queue import Empty

import psutil
import zmq
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbclient.util import run_sync
from nbformat.v4 import new_output

from instructor.grading import sandbox

__all__ = ["Client", "Stopped", "Watch", "started"]

MESSAGE_BYTES = 10_000_000  # a larger one ends the connection for a moment: what is in it is lost
HOME_BYTES = 20_000_000  # the only folder on disk that a kernel can write to: it holds its sockets
LOOK_EVERY = 0.2  # s
ANSWER_SECONDS = 2.0  # for an interrupted kernel to be ready again


class Stopped(Exception):
    """A kernel is gone, or does not come back; the message says why, for student and instructor."""


class Watch(threading.Thread):
    """Ends a kernel that uses more than it may.

    Attributes:
        reason: why it did, in words; None if it did not.
    """

    def __init__(self, process, home: Path, memory_mb: int, end: float):
        super().__init__(daemon=True)
        self.process, self.home, self.memory, self.end = process, home, memory_mb * 1_000_000, end
        self.reason = None
        self._over = threading.Event()

    def run(self):
        while not self._over.wait(LOOK_EVERY):
            self.reason = self._excess()
            if self.reason:
                self.process.kill()  # bubblewrap; all inside dies with it
                return

    def stop(self):
        """Look no more."""
        self._over.set()
        self.join()

    def _excess(self):
        if time.monotonic() > self.end:
            return "the whole notebook took too long"
        with contextlib.suppress(psutil.Error):
            root = psutil.Process(self.process.pid)
            tree = [root, *root.children(recursive=True)]
            # pages that processes share are counted once, which takes longer and is seldom needed
            if sum(map(_resident, tree)) > self.memory and sum(map(_own_share, tree)) > self.memory:
                return f"more than {self.memory // 1_000_000} MB of memory were used"
        files = [Path(folder) / name for folder, _, names in os.walk(self.home) for name in names]
        if len(files) > 100 or sum(_size(file) for file in files) > HOME_BYTES:
            return "files were written where none belong"
        return None


class Client(NotebookClient):
    """Runs cells; keeps no more of their output than it may, and notices a kernel that does not come back."""

    def __init__(self, nb, watch=None, output_bytes=2_000_000, **options):
        # an error is an outcome of a cell; that output may come late is no reason to lose the others
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
        self.late = self.asked_to_exit = self.cut = False

    def run(self, cell, index):
        """Run a cell of the notebook, in place.

        Raises:
            Stopped: if the kernel is no longer fit for the next cell.
        """
        self.late = self.asked_to_exit = self.cut = False
        self._bytes = 0
        try:
            self.execute_cell(cell, index)
        except (DeadKernelError, CellTimeoutError) as error:
            raise Stopped(self._why() or "the kernel died") from error
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
        return super().process_message(msg, cell, cell_index)


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
        RuntimeError: if the kernel does not start.
    """
    home = Path(tempfile.mkdtemp(prefix="mlg"))  # short: a socket's path has 107 characters at most
    manager = client = watch = None
    try:
        manager, folder = _manager(home, files, limits, unsafe)
        client = Client(notebook, km=manager, resources={"metadata": {"path": folder}}, **options)
        # what it writes past Jupyter goes nowhere
        client.start_new_kernel(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        watch = client.watch = Watch(manager.provisioner.process, home, limits.memory_mb, end)
        watch.start()
        client.start_new_kernel_client()
        yield client
    finally:
        if watch is not None:
            watch.stop()
        if client is not None and client.km is not None:
            client.shutdown_kernel = "immediate"
            client._cleanup_kernel()
        shutil.rmtree(home, ignore_errors=True)


def _manager(home, files, limits, unsafe):
    words = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    if unsafe:
        for file in files:
            shutil.copy(file, home / file.name)
        return _Manager(words, None, connection_file=str(home / "kernel.json")), str(home)
    user, inside = sandbox.Nowhere.choose(), home / "k"
    inside.mkdir(mode=0o700)
    if user.real:
        os.chown(inside, user.uid, user.uid)
    where = {
        "transport": "ipc",
        "ip": str(inside / "s"),
        "connection_file": str(inside / "kernel.json"),
    }
    words = sandbox.command(inside, files, limits, user, words)
    manager = _Manager(words, user if user.real else None, **where)
    manager.context.setsockopt(zmq.MAXMSGSIZE, MESSAGE_BYTES)
    return manager, str(home)


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
