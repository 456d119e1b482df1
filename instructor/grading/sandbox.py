"""Sandbox for a student's kernel, made with bubblewrap.

Inside there is no network, no other process and no file but the interpreter, its packages,
`musiclab` with its data (all read-only), the student's own files, and empty folders in memory.
bubblewrap starts with an empty environment.

Limits on processes, address space and files are set inside the namespace, so that what the
instructor runs outside does not count; memory, including that of files in memory, is watched from
outside (`kernel.Watch`). Where systemd gives its users control groups, these bound memory and
processes as well. A filter of system calls forbids memory outside of these limits. Started by root,
as in a container, the kernel gets a user number of its own: no limit on processes binds root.

A kernel's messages cross the sandbox's wall as unix sockets in one folder.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import musiclab
from instructor.grading import syscall_filter
from musiclab import data

__all__ = [
    "INSIDE",
    "MEMORY_FOLDERS",
    "Limits",
    "NoSandbox",
    "Nowhere",
    "command",
    "demand",
    "environment",
    "in_force",
    "problem",
]

INSIDE = "/home/student"  # where the kernel finds itself
MEMORY_FOLDERS = ("/tmp", "/dev/shm", INSIDE)
CACHE = ("/tmp/.cache", "/tmp/.cache/matplotlib")
HOW_TO = (
    "Install bubblewrap (Debian and Ubuntu: `sudo apt install bubblewrap`), or start Docker or Podman and use "
    "`make grade`, which then works in a container (instructor/Containerfile). To run students' code without "
    "protection, with all your rights, network included, say --unsafe."
)
FORBIDDEN = re.compile("new namespace|uid map|user namespace|NEWUSER", re.I)
REMEDY = (
    "this system forbids ordinary users to make namespaces; an administrator allows it with `sudo sysctl "
    "kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000` or, on Ubuntu from 23.10, `sudo sysctl "
    "kernel.apparmor_restrict_unprivileged_userns=0`"
)
THREADS = ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "NUMEXPR_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP")
SCOPE = ("systemd-run", "--scope", "--quiet", "--collect")
BUS = ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")


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
        open_files: open files of one process.
        folder_mb: size of each folder it can write to; they are in memory.
    """

    memory_mb: int = 2000
    address_mb: int = 8000
    processes: int = 256
    file_mb: int = 50
    open_files: int = 1024
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
    """The command that runs another command in the box; it is to be started with an empty environment.

    Args:
        home: folder with the kernel's connection file and sockets: the same path inside.
        files: the student's own files, shown read-only in the folder the command starts in.
        limits: what it may use.
        user: whose rights it has.
        words: the command.

    Returns:
        The whole command, word by word. Beside `home`, it leaves a file with the filter of system
        calls.
    """
    size = str(limits.folder_mb * 1_000_000)
    box = [shutil.which("bwrap") or "bwrap", "--unshare-ipc", "--unshare-pid", "--unshare-net"]
    box += ["--unshare-uts", "--unshare-cgroup-try", "--die-with-parent", "--new-session"]
    box += ["--hostname", "grading", "--cap-drop", "ALL", *_system()]
    box += ["--proc", "/proc", "--dev", "/dev"]
    for folder in MEMORY_FOLDERS:
        box += [*_parents(Path(folder)), "--perms", "1777", "--size", size, "--tmpfs", folder]
    for folder in _packages():
        box += [*_parents(folder), "--ro-bind", str(folder), str(folder)]
    box += [word for folder in CACHE for word in ("--perms", "1777", "--dir", folder)]
    for file in _fonts():
        box += ["--ro-bind", str(file), f"{CACHE[-1]}/{file.name}"]
    for file in files:
        box += ["--ro-bind", str(file), f"{INSIDE}/{file.name}"]
    box += [*_parents(home), "--bind", str(home), str(home)]
    box += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", INSIDE, "--clearenv"]
    for name, value in _variables().items():
        box += ["--setenv", name, value]
    if user.real:  # becomes the other user as the last thing; until then only these rights are kept
        for right in ("SETUID", "SETGID", "SETPCAP"):
            box += ["--cap-add", f"CAP_{right}"]
        words = [*_become(user), *words]
    else:  # its own first process: there is none of the same user that could be written to
        box += ["--unshare-user", "--uid", str(user.uid), "--gid", str(user.uid), "--as-pid-1"]
    whole = [*box, "--", *_limited(limits), *words]
    if calls := syscall_filter.program():
        path = home.with_name(f"{home.name}-system-calls")
        path.write_bytes(calls)
        whole = ["/bin/sh", "-c", f'exec "$@" 9<{_quoted(path)}', "sh", whole[0], "--seccomp", "9"]
        whole += [*box[1:], "--", *_limited(limits), *words]
    return [*_scope(limits), *whole]


def in_force() -> str:
    """Which limits hold here, in words."""
    inside = "set inside the namespace, memory watched from outside"
    return f"control groups, and {inside}" if _scopes_work() else inside


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
        inside = Path(home) / "k"
        inside.mkdir()
        words = [sys.executable, "-c", "import ipykernel, musiclab"]
        try:
            done = subprocess.run(
                command(inside, [], Limits(), Nowhere.choose(), words),
                capture_output=True,
                text=True,
                timeout=60,
                env=environment(),
            )
        except subprocess.TimeoutExpired:
            return "bubblewrap did not come to an end"
    said = done.stderr.strip().splitlines() or ["no word of why"]
    if done.returncode and FORBIDDEN.search(done.stderr):
        return f"{REMEDY} (bubblewrap says: {said[-1]})"
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


def environment() -> dict[str, str]:
    """The environment to start the box with: empty, but for the way to systemd where that gives control groups."""
    return {name: os.environ[name] for name in BUS if _scopes_work() and name in os.environ}


@functools.cache
def _scopes_work():
    """Whether systemd gives this user control groups with limits on memory and processes."""
    root = Path("/sys/fs/cgroup/cgroup.controllers")
    if not root.is_file() or shutil.which(SCOPE[0]) is None:
        return False
    known = {name: os.environ[name] for name in BUS if name in os.environ}
    words = [*_scope_words(Limits()), "true"]
    try:
        return not subprocess.run(words, env=known, capture_output=True, timeout=10).returncode
    except (OSError, subprocess.TimeoutExpired):
        return False


def _scope(limits):
    """A control group for the box and all in it; systemd's own variables stay outside."""
    return [*_scope_words(limits), "/usr/bin/env", "-i"] if _scopes_work() else []


def _scope_words(limits):
    whose = [] if os.geteuid() == 0 else ["--user"]
    memory = limits.memory_mb + 100  # bubblewrap itself; the watch sees to the rest, and says why
    limit = [f"MemoryMax={memory}M", "MemorySwapMax=0", f"TasksMax={limits.processes + 10}"]
    return [
        shutil.which(SCOPE[0]),
        *SCOPE[1:],
        *whose,
        *(word for one in limit for word in ("-p", one)),
    ]


def _limited(limits):
    """Limits as seen in the namespace, where other processes of the same user do not count; none above our own."""
    import resource  # not on Windows, where the container grades

    wanted = {
        "as": limits.address_mb * 1_000_000,
        "nproc": limits.processes + _counted_outside(),
        "fsize": limits.file_mb * 1_000_000,
        "nofile": limits.open_files,
        "msgqueue": 0,
        "memlock": 65536,
        "core": 0,
    }
    words = [shutil.which("prlimit") or "prlimit"]
    for name, value in wanted.items():
        most = resource.getrlimit(getattr(resource, f"RLIMIT_{name.upper()}", resource.RLIMIT_AS))[
            1
        ]
        words.append(f"--{name}={value if most == resource.RLIM_INFINITY else min(value, most)}")
    return [*words, "--"]


def _counted_outside():
    """Threads that the limit counts though they are outside: before Linux 5.14, all of the same user."""
    version = tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])
    if version >= (5, 14) or Nowhere.choose().real:
        return 0
    own = os.getuid()
    tasks = (path for path in Path("/proc").glob("[0-9]*/task/*"))
    return sum(1 for task in tasks if _owner(task) == own)


def _owner(path):
    try:
        return path.stat().st_uid
    except OSError:
        return None


def _quoted(path):
    return "'" + str(path).replace("'", "'\\''") + "'"


def _become(user):
    words = [
        shutil.which("setpriv") or "setpriv",
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
        "MUSICLAB_READY_MADE": os.environ.get("MUSICLAB_READY_MADE", "refuse"),
        **{
            f"{name}_THREADS": "1" for name in THREADS
        },  # as many kernels run at once as there are cores
    }
