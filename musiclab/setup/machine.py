"""Facts about this machine for ``musiclab.setup.doctor``: memory, disk, installed packages.

Standard library only, and it imports on old Pythons: the doctor runs before anything is installed.

Lessons: all.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

__all__ = ["bits", "free_disk_gb", "free_memory_gb", "installed", "normal"]


def bits() -> int:
    """Tell whether this Python is a 64-bit or a 32-bit build.

    >>> bits() in (32, 64)
    True
    """
    return 64 if sys.maxsize > 2**32 else 32


def normal(name: str) -> str:
    """Spell a package name the one way in which names are compared.

    >>> normal("pretty_midi")
    'pretty-midi'
    """
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def installed() -> dict:
    """Version by normal name of every package that this Python can import."""
    return {
        normal(each.metadata["Name"]): each.version
        for each in distributions()
        if each.metadata["Name"]
    }


def free_disk_gb(folder: Path) -> float:
    """Free space where a folder lies, in GB (10^9 bytes)."""
    return shutil.disk_usage(str(folder)).free / 1e9


def free_memory_gb() -> float | None:
    """Memory that a new program can have, in GB (10^9 bytes); on a Mac all there is; None if the system won't say."""
    try:
        if sys.platform == "win32":
            return _windows_memory() / 1e9
        if (
            sys.platform == "darwin"
        ):  # what is "free" there says little: macOS gives up its caches when asked
            return int(subprocess.check_output(["sysctl", "-n", "hw.memsize"])) / 1e9
        available = _fields(Path("/proc/meminfo"))["MemAvailable:"] * 1024
    except (OSError, ValueError, KeyError, AttributeError, subprocess.SubprocessError):
        return None
    return min(available, _container_limit(Path("/sys/fs/cgroup"))) / 1e9


def _container_limit(group):
    # a container on a big machine reads the machine's memory in /proc/meminfo, but may use only
    # this much
    try:
        limit = int((group / "memory.max").read_text())
        cache = _fields(group / "memory.stat")["inactive_file"]
        return limit - int((group / "memory.current").read_text()) + cache
    except (OSError, ValueError, KeyError):
        return float("inf")


def _fields(file):
    lines = (line.split() for line in file.read_text().splitlines())
    return {words[0]: int(words[1]) for words in lines}


def _windows_memory():
    class Status(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong)] + [
            (name, ctypes.c_ulonglong)
            for name in ("total", "free", "page", "page_free", "virtual", "v_free", "v_ext")
        ]

    status = Status(length=ctypes.sizeof(Status))
    ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
    return status.free
