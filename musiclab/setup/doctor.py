"""Is this machine ready for the course? Each problem in one plain sentence with its remedy.

``python -m musiclab.setup.doctor`` needs nothing but the standard library and starts on
Pythons too old or too new for the course, because those are what it has to report.
Each check is a function of plain facts; :func:`diagnose` feeds them with those of
``musiclab.setup.machine``.

Lessons: all.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from musiclab.setup import machine

__all__ = [
    "data_problems",
    "diagnose",
    "disk_problems",
    "import_problems",
    "kernel_problems",
    "main",
    "memory_problems",
    "metal_problems",
    "package_problems",
    "pins",
    "platform_problems",
    "python_problems",
]

OLDEST, NEWEST = (3, 11), (3, 13)
MEMORY_GB = 2.0  # a lesson may use 1.5 GB, JupyterLab and the browser tab need the rest
INSTALL_GB, WORK_GB = (
    4.0,
    0.5,
)  # a fresh environment with the test tools takes about 2.5 GB, its downloads 1 GB

ROOT = Path(__file__).resolve().parents[2]
MODULES = {"tensorflow-cpu": "tensorflow"}  # packages whose module has another name
IMPORT_SECONDS = 120
REINSTALL = "install it again with `python -m pip install --force-reinstall -r requirements.txt`."
KERNEL = (
    "from jupyter_client.kernelspec import KernelSpecManager as Manager; "
    "print(Manager().get_kernel_spec('python3').argv[0])"
)


def python_problems(version: tuple) -> list[str]:
    """Say whether the lessons run on a Python version.

    Args:
      version: such as ``sys.version_info``; the first two numbers count.

    Returns:
      Problems, one sentence each; empty if there are none.

    >>> python_problems((3, 12))
    []
    >>> python_problems((3, 14))[0][:22]
    'This is Python 3.14: T'
    """
    found = ".".join(str(number) for number in version[:2])
    remedy = (
        "install Python 3.12 from https://www.python.org/downloads/ beside it and run the same command again "
        "(with make: `make lab PYTHON=python3.12`)."
    )
    if tuple(version[:2]) > NEWEST:
        return [f"This is Python {found}: TensorFlow has no build for it yet; {remedy}"]
    if tuple(version[:2]) < OLDEST:
        return [f"This is Python {found}: the course needs 3.11, 3.12 or 3.13; {remedy}"]
    return []


def platform_problems(system: str, processor: str, bits: int = 64, macos: str = "") -> list[str]:
    """Say whether TensorFlow has a build for this kind of computer.

    Args:
      system: as ``platform.system()``: Linux, Darwin, Windows.
      processor: as ``platform.machine()``: x86_64, arm64, AMD64 ...
      bits: of the Python in use, 32 or 64.
      macos: macOS version such as ``"14.5"``, empty elsewhere.

    Returns:
      Problems, one sentence each.

    >>> platform_problems("Linux", "x86_64")
    []
    """
    elsewhere = "run the course on another computer or on a hosted JupyterLab (Linux, Python 3.12)."
    processor = processor.lower()
    if bits != 64:
        return [f"This Python is a {bits}-bit build: install the 64-bit build of Python 3.12."]
    if system == "Darwin" and processor in ("x86_64", "i386"):
        return [
            "This Python is built for Intel Macs, for which TensorFlow 2.21 has no build: on an Apple-silicon Mac "
            "install the universal Python 3.12 from https://www.python.org/downloads/ , on an Intel Mac "
            + elsewhere
        ]
    if system == "Darwin" and macos and _numbers(macos) < (12,):
        return [
            f"This is macOS {macos}: TensorFlow needs macOS 12 or newer; update it, or {elsewhere}"
        ]
    if system == "Windows" and processor in ("arm64", "aarch64"):
        return [
            "This is Windows on Arm, for which TensorFlow has no build: install WSL (`wsl --install`) and follow "
            "the Linux lines of the README there."
        ]
    return []


def metal_problems(installed: dict) -> list[str]:
    """Say whether Apple's GPU plug-in is in the way.

    Args:
      installed: version by package name, in lower case with hyphens.

    Returns:
      Problems, one sentence each.

    >>> metal_problems({"numpy": "2.4.6"})
    []
    """
    if "tensorflow-metal" not in installed:
        return []
    return [
        "Apple's GPU plug-in tensorflow-metal is installed, which does not go with this TensorFlow: remove it with "
        "`python -m pip uninstall tensorflow-metal`."
    ]


def pins(requirements: str, environment: dict | None = None) -> dict:
    """Read the pinned versions that apply to this machine out of ``requirements.txt``.

    Args:
      requirements: the file's text; lines ``name==version ; marker  # comment``.
      environment: values of the marker's variables; default: this machine's
        ``sys_platform`` and ``platform_machine``.

    Returns:
      Version by package name.

    >>> pins("numpy==2.4.6  # all")
    {'numpy': '2.4.6'}
    """
    if environment is None:
        environment = {"sys_platform": sys.platform, "platform_machine": platform.machine()}
    found = {}
    for line in requirements.splitlines():
        requirement, _, marker = line.split("#")[0].partition(";")
        name, equals, version = requirement.partition("==")
        if equals and _applies(marker, environment):
            found[machine.normal(name)] = version.strip()
    return found


def package_problems(pinned: dict, installed: dict) -> list[str]:
    """Compare what is installed with what the course was tested with.

    Args:
      pinned: version by package name, see :func:`pins`.
      installed: likewise, what is there.

    Returns:
      At most two sentences: one for all that is missing, one for all that differs.

    >>> package_problems({"numpy": "2.4.6"}, {"numpy": "2.4.6"})
    []
    >>> package_problems({"numpy": "2.4.6"}, {})[0][:21]
    'Not installed: numpy;'
    """
    missing = [name for name in pinned if name not in installed]
    different = [
        f"{name} {installed[name]} instead of {version}"
        for name, version in pinned.items()
        if name in installed and installed[name] != version
    ]
    remedy = (
        "run `make lab`, or `python -m pip install -r requirements.txt` in the environment you use."
    )
    problems = []
    if missing:
        problems.append("Not installed: {}; {}".format(", ".join(missing), remedy))
    if different:
        problems.append(
            "Installed in another version than tested: {}; {}".format(", ".join(different), remedy)
        )
    return problems


def import_problems(packages: list[str], python: str = sys.executable) -> list[str]:
    """Import each package, in one process of its own: what is installed may still not work.

    Args:
      packages: normal names, as in ``requirements.txt``.
      python: the Python that runs the lessons.

    Returns:
      One sentence for each package that can't be imported, with the error's last line.

    >>> import_problems([])
    []
    """
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n"
        "        importlib.import_module(name)\n"
        "    except BaseException as error:\n"
        "        said = ' '.join(str(error).split())[:300]\n"
        "        print('DOCTOR', name, type(error).__name__, said, flush=True)\n"
        "print('DOCTOR done', flush=True)\n"
    )
    names = [MODULES.get(name, name.replace("-", "_")) for name in packages]
    try:
        done = subprocess.run(
            [python, "-c", code, *names],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
            timeout=IMPORT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [f"Importing the packages took over {IMPORT_SECONDS} s: " + REINSTALL]
    except OSError as error:
        return [f"The lessons' Python, {python}, does not start ({error}): " + REINSTALL]
    lines = [line[7:] for line in done.stdout.splitlines() if line.startswith("DOCTOR ")]
    found = [
        "The package {} is installed, and importing it fails ({}): {}".format(
            *line.split(" ", 1), REINSTALL
        )
        for line in lines
        if line != "done"
    ]
    if "done" not in lines:  # a library that breaks off its whole process
        found.append(f"Python broke off (status {done.returncode}) importing packages: {REINSTALL}")
    return found


def kernel_problems(kernel: str | None, python: str = sys.executable) -> list[str]:
    """Say whether notebooks run in the Python that was checked.

    Args:
      kernel: the program of the kernel ``python3``, None if there is no such kernel.
      python: the Python that was checked.

    Returns:
      Problems, one sentence each.

    >>> kernel_problems(sys.executable)
    []
    """
    remedy = "run `make lab`, which starts JupyterLab with the course's own kernel."
    if kernel is None:
        return [f"JupyterLab has no kernel `python3`, in which the lessons run: {remedy}"]
    if not Path(kernel).is_absolute():  # `python`: the one that starts it
        return []
    if Path(kernel).parent.resolve() == Path(python).parent.resolve():
        return []
    return [f"Notebooks would run in {kernel}, and {python} has the packages: {remedy}"]


def memory_problems(free_gb: float | None) -> list[str]:
    """Say whether a lesson fits into memory.

    Args:
      free_gb: memory a new program can have, in GB (10^9 bytes); None if unknown.

    Returns:
      Problems, one sentence each.

    >>> memory_problems(8.0)
    []
    """
    if free_gb is None or free_gb >= MEMORY_GB:
        return []
    return [
        f"Only {free_gb:.1f} GB of memory are free and a lesson needs up to 1.5: close other programs "
        f"and other lessons' kernels until {MEMORY_GB:.0f} GB are free."
    ]


def disk_problems(free_gb: float, needed_gb: float = WORK_GB) -> list[str]:
    """Say whether there is room on the disk.

    Args:
      free_gb: free space in the course's folder, in GB.
      needed_gb: how much is wanted: little to work, more to install.

    Returns:
      Problems, one sentence each.

    >>> disk_problems(40.0)
    []
    """
    if free_gb >= needed_gb:
        return []
    return [
        f"Only {free_gb:.1f} GB of disk are free where the course lies and {needed_gb:.1f} are needed: "
        "delete something, or move the course's folder to a disk with more room."
    ]


def data_problems(folder: Path) -> list[str]:
    """Compare the music and the weights with their checksums.

    Args:
      folder: holds ``SHA256SUMS`` and the files it lists, one ``sha256  name`` a line.

    Returns:
      One sentence per missing or damaged file.
    """
    remedy = "restore it with `git checkout -- data`, or download the course again."
    try:
        lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
        listed = [line.split(maxsplit=1) for line in lines if line.strip()]
        expected = {name.strip(): digest for digest, name in listed}
    except (OSError, ValueError):
        return [f"The list of data files, data/SHA256SUMS, is missing or unreadable: {remedy}"]
    problems = []
    for name, digest in expected.items():
        try:
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
                problems.append(f"The data file {name} was changed or damaged: {remedy}")
        except OSError:
            problems.append(f"The data file {name} is missing or unreadable: {remedy}")
    return problems


def diagnose(root: Path = ROOT) -> list[str]:
    """Run every check on this machine.

    Args:
      root: the course's folder; an installed wheel has its data in ``musiclab/_files``,
        and its versions in its extra ``lessons``.

    Returns:
      Problems, one sentence each, the ones that cause others first.
    """
    problems = python_problems(sys.version_info)
    problems += platform_problems(
        platform.system(), platform.machine(), machine.bits(), platform.mac_ver()[0]
    )
    if problems:
        return problems  # every package would be missing as a consequence
    installed = machine.installed()
    problems += metal_problems(installed)
    listed = root / "requirements.txt"
    pinned = pins(listed.read_text(encoding="utf-8") if listed.is_file() else _of_the_wheel())
    wrong = package_problems(pinned, installed)
    wrong += import_problems([name for name in pinned if name in installed])
    problems += wrong or kernel_problems(_kernel())
    problems += memory_problems(machine.free_memory_gb())
    problems += disk_problems(machine.free_disk_gb(root))
    data = (
        root / "data" if (root / "data" / "SHA256SUMS").is_file() else root / "musiclab" / "_files"
    )
    return problems + data_problems(data)


def main() -> int:
    """Print the problems, if any.

    Returns:
      Exit status: 0 ready, 1 not.
    """
    problems = diagnose()
    for problem in problems:
        print("- " + problem)
    if not problems:
        print(f"This machine is ready for the lessons (Python {platform.python_version()}).")
    return 1 if problems else 0


def _of_the_wheel():
    """The extra ``lessons`` of an installed musiclab, in the form of ``requirements.txt``."""
    try:
        lines = metadata.requires("musiclab") or []
    except metadata.PackageNotFoundError:
        lines = []
    lines = [
        re.sub(r"""(;| and)?\s*extra == ["']lessons["']""", "", each)
        for each in lines
        if "lessons" in each
    ]
    return "\n".join(re.sub(r"[()]", "", each).replace("'", '"') for each in lines)


def _kernel():
    """The program of the kernel ``python3`` as JupyterLab finds it when ``lab`` starts it."""
    kept = {name: value for name, value in os.environ.items() if name != "JUPYTER_PATH"}
    done = subprocess.run(
        [sys.executable, "-c", KERNEL],
        env={**kept, "JUPYTER_PREFER_ENV_PATH": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        check=False,
    )
    return done.stdout.strip() or None


def _numbers(version):
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _applies(marker, environment):
    # only what requirements.txt uses: ==, != joined by `and`, `or`; packaging.markers is not in
    # the standard library
    def holds(term):
        name, comparison, value = re.fullmatch(r'\s*(\w+)\s*(==|!=)\s*"([^"]*)"\s*', term).groups()
        return (environment[name] == value) == (comparison == "==")

    if not marker.strip():
        return True
    return any(all(holds(term) for term in each.split(" and ")) for each in marker.split(" or "))


if __name__ == "__main__":
    sys.exit(main())
