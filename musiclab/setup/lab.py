"""Start the course: check the machine, then open JupyterLab in the folder of lessons.

``python -m musiclab.setup.lab`` is what ``make lab`` runs; what follows goes to JupyterLab as it
is.

Lessons: all.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from musiclab.setup import doctor

__all__ = ["command", "environment", "main"]

_DEFAULTS = Path(__file__).resolve().parent / "jupyter"
_ELSEWHERE = ("JUPYTER_PATH", "JUPYTERLAB_DIR", "PYTHONHOME")
_SETTINGS = (
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
    "IPYTHONDIR",
)


def command(lessons: Path, arguments: list[str], superuser: bool = False) -> list[str]:
    """Build the line that starts JupyterLab so that it asks nothing of the outside world.

    Args:
      lessons: the folder it opens.
      arguments: options of the reader's own; they win over the course's.
      superuser: whether root runs it, as in a container: JupyterLab refuses without being told.

    Returns:
      The command, word by word.

    >>> command(Path("notebooks"), ["--no-browser"])[-1]
    '--no-browser'
    """
    settings = {
        "--ServerApp.root_dir": str(lessons),
        "--LabApp.default_url": "/lab/tree/welcome.ipynb",
        "--LabApp.news_url": "None",
        "--LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager": "readonly",  # the default one asks PyPI for extensions
        "--KernelSpecManager.allowed_kernelspecs": "python3",
    }
    # JupyterLab refuses an option that comes twice
    named = {argument.split("=")[0] for argument in arguments}
    options = [f"{name}={value}" for name, value in settings.items() if name not in named]
    return [
        sys.executable,
        "-m",
        "jupyterlab",
        *options,
        *(["--allow-root"] if superuser else []),
        *arguments,
    ]


def environment(current: dict, own: Path | None = None) -> dict:
    """Take out of the environment what would run the lessons in another Python.

    A kernel called ``python3`` that another installation left in the home folder, or on
    ``JUPYTER_PATH``, must not win over the one beside this Python, which has the packages.

    Args:
      current: such as ``os.environ``.
      own: a folder that takes the place of the reader's Jupyter and IPython settings, for tests;
        None leaves those as they are.

    Returns:
      A changed copy.

    >>> sorted(environment({"JUPYTER_PATH": "/elsewhere", "HOME": "/home/me"}))
    ['HOME', 'JUPYTER_CONFIG_PATH', 'JUPYTER_PREFER_ENV_PATH', 'PYTHONNOUSERSITE']
    """
    kept = {name: value for name, value in current.items() if name not in _ELSEWHERE}
    if own is not None:
        kept = {
            name: value
            for name, value in kept.items()
            if name not in ("JUPYTER_CONFIG_PATH", "PYTHONSTARTUP")
        }
        kept.update({name: str(own / name.lower()) for name in _SETTINGS})
    # JupyterLab asks about its news whenever its settings leave that open; no option of the
    # command line answers
    defaults = os.pathsep.join(filter(None, [str(_DEFAULTS), kept.get("JUPYTER_CONFIG_PATH")]))
    return {
        **kept,
        "JUPYTER_CONFIG_PATH": defaults,
        "JUPYTER_PREFER_ENV_PATH": "1",
        "PYTHONNOUSERSITE": "1",
    }


def main(arguments: list[str] | None = None) -> int:
    """Check the machine and run JupyterLab until it is stopped.

    Args:
      arguments: options for JupyterLab; default: the command line's.

    Returns:
      Exit status: 1 if the machine is not ready, else JupyterLab's.
    """
    lessons = doctor.ROOT / "notebooks"
    if not lessons.is_dir():
        print(
            "There is no folder of lessons beside this package: download the course and run this inside it."
        )
        return 1
    if doctor.main():
        return 1
    arguments = sys.argv[1:] if arguments is None else arguments
    superuser = hasattr(os, "geteuid") and os.geteuid() == 0
    words, variables = command(lessons, arguments, superuser), environment(dict(os.environ))
    sys.stdout.flush()
    if os.name == "posix":  # becomes JupyterLab: Ctrl-C and signals reach it directly
        os.execve(words[0], words, variables)
    return subprocess.call(words, env=variables)


if __name__ == "__main__":
    sys.exit(main())
