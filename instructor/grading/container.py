"""Grading in a Docker or Podman container, where bubblewrap is not available.

The container takes the place of the machine; students' kernels run in bubblewrap inside it, as
everywhere.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from instructor.settings import ROOT

__all__ = ["IMAGE", "engine", "grade", "words"]

IMAGE = "musiclab-grading"


def engine() -> str | None:
    """Docker or Podman, if one of them is there and answers; None if neither."""
    for name in ("docker", "podman"):
        path = shutil.which(name)
        if path and not subprocess.run([path, "info"], capture_output=True, check=False).returncode:
            return path
    return None


def words(engine: str, course: Path, options) -> list[str]:
    """The command that grades in a container.

    Args:
        engine: path of Docker or Podman.
        course: nbgrader's course folder.
        options: those of `make grade`.

    Returns:
        The command, word by word. Inside, the repository is `/course`, the submissions are
        `/submissions`.
    """
    # bubblewrap needs to make namespaces, which containers may not do by themselves
    command = [
        engine,
        "run",
        "--rm",
        "--cap-add",
        "SYS_ADMIN",
        "--security-opt",
        "seccomp=unconfined",
    ]
    command += ["--security-opt", "apparmor=unconfined", "--volume", f"{ROOT}:/course"]
    inside, folder = "/course/instructor", Path(course)
    if not folder.is_relative_to(ROOT):
        command, inside = [*command, "--volume", f"{folder}:/class"], "/class"
    else:
        inside = f"/course/{folder.relative_to(ROOT).as_posix()}"
    if options.submissions:
        command += ["--volume", f"{options.submissions.resolve()}:/submissions:ro"]
    command += [
        IMAGE,
        "python",
        "-m",
        "instructor.grading.grade_class",
        options.assignment,
        "--course",
        inside,
    ]
    command += ["--jobs", str(options.jobs), "--minutes", str(options.minutes)]
    command += [word for one in options.student or [] for word in ("--student", one)]
    command += [] if options.due is None else ["--due", options.due.isoformat()]
    return [*command, "--submissions", "/submissions"] if options.submissions else command


def grade(engine: str, course: Path, options) -> int:
    """Build the container's image where that is needed, and grade in it; returns the exit status."""
    print("bubblewrap is not on this machine: grading in a container", flush=True)
    build = [
        engine,
        "build",
        "--tag",
        IMAGE,
        "--file",
        str(ROOT / "instructor" / "Containerfile"),
        str(ROOT),
    ]
    made = subprocess.run(build, check=False).returncode
    return made or subprocess.run(words(engine, course, options), check=False).returncode
