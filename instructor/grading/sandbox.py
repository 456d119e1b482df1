"""Sandbox for a student's kernel, made with bubblewrap.

Inside there is no network, no other process and no file but the interpreter, its packages, `musiclab` with its data
(all read-only), the student's own files, and empty folders in memory. Limits hold on memory, processes and file sizes.

A kernel's messages cross the wall as unix sockets in one folder. Started by root, as in a container, the kernel gets a
user number of its own: the limit on processes does not bind root, not even in a user namespace.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import musiclab
from musiclab import data

__all__ = ["INSIDE", "Limits", "NoSandbox", "Nowhere", "command", "demand", "problem"]

INSIDE = "/home/student"  # where the kernel finds itself
CACHE = ("/tmp/.cache", "/tmp/.cache/matplotlib")
HOW_TO = (
    "Install bubblewrap (Debian and Ubuntu: `sudo apt install bubblewrap`), or start Docker or Podman and use "
    "`make grade`, which then works in a container (instructor/Containerfile). To run students' code without "
    "protection, with all your rights, network included, say --unsafe."
)
THREADS = ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "NUMEXPR_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP")


class NoSandbox(RuntimeError):
    """There is no way to run students' code safely here; the message says why and what to do."""


@dataclass(frozen=True)
class Limits:
    """What one kernel may use.

    Attributes:
        memory_mb: resident memory of all its processes.
        address_mb: address space of one process; TensorFlow reserves far more than it uses.
        processes: processes and threads.
        file_mb: size of one file.
        folder_mb: size of each folder it can write to; they are in memory.
    """

    memory_mb: int = 2000
    address_mb: int = 8000
    processes: int = 256
    file_mb: int = 50
    folder_mb: int = 100


@dataclass(frozen=True)
class Nowhere:
    """The user a kernel is in its box.

    Attributes:
        uid: user and group number.
        real: whether it is that user outside too; else it only looks so from inside.
    """

    uid: int
    real: bool

    @classmethod
    def choose(cls) -> Nowhere:
        """A number that no account has, and no other grading process at this time; 65534 where we are not root."""
        return (
            cls(60_000 + os.getpid() % 5_000, True) if _may_become_others() else cls(65_534, False)
        )


def command(
    home: Path, files: list[Path], limits: Limits, user: Nowhere, words: list[str]
) -> list[str]:
    """The command that runs another command in the box.

    Args:
        home: folder with the kernel's connection file and sockets: the same path inside.
        files: the student's own files, shown read-only in the folder the command starts in.
        limits: what it may use.
        user: whose rights it has.
        words: the command.

    Returns:
        The whole command, word by word.
    """
    size = str(limits.folder_mb * 1_000_000)
    box = [
        "bwrap",
        "--unshare-ipc",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-uts",
        "--unshare-cgroup-try",
    ]
    box += [
        "--die-with-parent",
        "--new-session",
        "--hostname",
        "grading",
        "--cap-drop",
        "ALL",
        *_system(),
    ]
    box += ["--proc", "/proc", "--dev", "/dev"]
    for folder in ("/tmp", "/dev/shm", INSIDE):
        box += [*_parents(Path(folder)), "--perms", "1777", "--size", size, "--tmpfs", folder]
    for folder in _packages():
        box += [*_parents(folder), "--ro-bind", str(folder), str(folder)]
    box += [word for folder in CACHE for word in ("--perms", "1777", "--dir", folder)]
    for file in _fonts():
        box += ["--ro-bind", str(file), f"{CACHE[-1]}/{file.name}"]
    for file in files:
        box += ["--ro-bind", str(file), f"{INSIDE}/{file.name}"]
    box += [
        *_parents(home),
        "--bind",
        str(home),
        str(home),
        "--remount-ro",
        "/dev",
        "--remount-ro",
        "/",
    ]
    box += ["--chdir", INSIDE, "--clearenv"]
    for name, value in _variables().items():
        box += ["--setenv", name, value]
    if user.real:  # becomes the other user as the last thing; until then only this right is kept
        box += [
            word
            for right in ("SETUID", "SETGID", "SETPCAP")
            for word in ("--cap-add", f"CAP_{right}")
        ]
        words = [*_become(user), *words]
    else:
        box += ["--unshare-user", "--uid", str(user.uid), "--gid", str(user.uid)]
    return [*_limited(limits), *box, "--", *words]


def problem() -> str | None:
    """Why students' code can't run in a box here, in words; None if it can.

    The answer is found by trying it, once in the life of this process.
    """
    return _tried()


def demand(unsafe: bool) -> None:
    """Refuse to go on without a box, unless told so.

    Raises:
        NoSandbox: if there is no box and `unsafe` is false.
    """
    if not unsafe and (why := problem()):
        raise NoSandbox(f"Students' code would run unprotected: {why}. {HOW_TO}")


@functools.cache
def _tried():
    for tool in ("bwrap", "prlimit", *(["setpriv"] if Nowhere.choose().real else [])):
        if sys.platform != "linux" or shutil.which(tool) is None:
            return f"there is no {tool} on this machine"
    with tempfile.TemporaryDirectory() as home:
        words = [sys.executable, "-c", "import ipykernel, musiclab"]
        try:
            done = subprocess.run(
                command(Path(home), [], Limits(), Nowhere.choose(), words),
                capture_output=True,
                text=True,
                timeout=60,
            )
        except subprocess.TimeoutExpired:
            return "bubblewrap did not come to an end"
    said = done.stderr.strip().splitlines() or ["no word of why"]
    return f"bubblewrap does not work here ({said[-1]})" if done.returncode else None


def _may_become_others():
    """Whether this is root, and not only of a user namespace without other users."""
    if not hasattr(os, "geteuid") or os.geteuid():
        return False
    rows = [
        line.split() for line in Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()
    ]
    return any(
        int(first) <= 60_000 and int(first) + int(count) >= 65_000 for first, _, count in rows
    )


def _limited(limits):
    return [
        "prlimit",
        f"--as={limits.address_mb * 1_000_000}",
        f"--nproc={limits.processes}",
        f"--fsize={limits.file_mb * 1_000_000}",
        "--core=0",
        "--",
    ]


def _become(user):
    words = [
        "setpriv",
        f"--reuid={user.uid}",
        f"--regid={user.uid}",
        "--clear-groups",
        "--no-new-privs",
    ]
    return [*words, "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--"]


def _system():
    """The system's programs and libraries."""
    words = ["--ro-bind", "/usr", "/usr"]
    for name in ("/bin", "/sbin", "/lib", "/lib32", "/lib64"):
        if Path(name).is_symlink():
            words += ["--symlink", str(Path(name).readlink()), name]
        elif Path(name).is_dir():
            words += ["--ro-bind", name, name]
    for name in ("/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts", "/etc/localtime"):
        words += ["--ro-bind-try", name, name]
    return words


def _packages():
    """The folders Python needs, those first that hold others."""
    package = Path(musiclab.__file__).resolve().parent
    real = Path(sys.executable).resolve().parent.parent  # where an environment's `python` leads
    folders = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.base_exec_prefix), real, package}
    folders.add(data.path("SHA256SUMS").parent)
    return sorted(folder for folder in folders if not folder.is_relative_to("/usr"))


@functools.cache
def _fonts():
    """Matplotlib's list of fonts, which takes seconds to make."""
    import matplotlib

    return sorted(Path(matplotlib.get_cachedir()).glob("fontlist-*.json"))


def _parents(folder):
    """Make the folders above, open to all: bubblewrap would close them to everyone but its own user."""
    return [
        word for parent in reversed(folder.parents) if parent != Path("/") for word in _made(parent)
    ]


def _made(folder):
    return ["--perms", "0755", "--dir", str(folder)]


def _variables():
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONPATH": str(
            Path(musiclab.__file__).resolve().parents[1]
        ),  # of which only the package is visible
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        **{
            f"{name}_THREADS": "1" for name in THREADS
        },  # as many kernels run at once as there are cores
    }
