"""Collecting submissions: a folder or a learning platform's zip file into nbgrader's `submitted` folder."""

from __future__ import annotations

import re
import shutil
import unicodedata
import zipfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from instructor.grading.restore_cells import MOST_BYTES
from musiclab.data import write_whole

__all__ = ["Handed", "already", "found", "store", "student_of"]

MOST_FILES = 50  # beside the notebook
PATTERNS = (  # how platforms name what they pack
    r"(?P<student>.+?)_(?P<number>\d+)_assignsubmission_file_?(/.*)?",  # Moodle
    r"(?P<student>[^_/]+?)(_LATE)?_(?P<number>\d+)_\d+_[^/]+",  # Canvas
    r"[^/]*_(?P<student>[^_/]+)_attempt_[-\d]+[^/]*",  # Blackboard
)


@dataclass
class Handed:
    """What one student handed in.

    Attributes:
        student: the id, fit for a folder's name.
        notebook: the content; None if there is none.
        files: {name: content} of what lay beside it.
        notes: what was mended on the way, in words.
        problem: why there is nothing to grade, in words.
    """

    student: str
    notebook: bytes | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problem: str | None = None


def found(source: Path, assignment: str) -> tuple[list[Handed], list[str]]:
    """Read all submissions.

    Args:
        source: a folder with a folder for each student, or a zip file of a learning platform.
        assignment: its name.

    Returns:
        What each student handed in, by name; and what belongs to no student, in words.

    Raises:
        ValueError: if `source` is neither.
    """
    source = Path(source)
    if source.is_dir():
        return _grouped(
            _in_folder(source), [one.name for one in source.iterdir() if one.is_dir()], assignment
        )
    if not zipfile.is_zipfile(source):
        raise ValueError(f"{source} is neither a folder nor a zip file")
    with zipfile.ZipFile(source) as packed:
        return _grouped(_in_zip(packed), [], assignment)


def student_of(path: PurePosixPath, assignment: str) -> str | None:
    """Whose a file is, by its path; None if the path does not tell.

    >>> student_of(PurePosixPath("Ada Lovelace_123_assignsubmission_file_/03_vae.ipynb"), "03_vae")
    'Ada Lovelace'
    >>> student_of(PurePosixPath("lovelaceada_LATE_12_34_03_vae-1.ipynb"), "03_vae")
    'lovelaceada'
    """
    for pattern in PATTERNS:
        if match := re.fullmatch(pattern, str(path)):
            return match["student"]
    if len(path.parts) > 1:
        return path.parts[0]
    name = path.name.removesuffix(".ipynb")
    for start, end in ((f"{assignment}_", ""), ("", f"_{assignment}")):
        if name.startswith(start) and name.endswith(end) and name != assignment:
            return name.removeprefix(start).removesuffix(end)
    return None


def store(handed: Handed, folder: Path, assignment: str) -> Path:
    """Put a submission into nbgrader's folder of submissions, touching nothing that is the same.

    Args:
        handed: what was handed in.
        folder: the folder of submissions.
        assignment: its name.

    Returns:
        The submission's folder, `folder`/student/`assignment`.
    """
    target = Path(folder) / handed.student / assignment
    wanted = dict(handed.files)
    if handed.notebook is not None:
        wanted[f"{assignment}.ipynb"] = handed.notebook
    target.mkdir(parents=True, exist_ok=True)
    for old in target.iterdir():
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        elif old.name not in wanted and old.name != "timestamp.txt":
            old.unlink()
    for name, content in wanted.items():
        file = target / name
        if file.is_symlink() or not file.is_file() or file.read_bytes() != content:
            file.unlink(missing_ok=True)
            write_whole(file, content)
    return target


def already(folder: Path, assignment: str) -> list[Handed]:
    """What lies in nbgrader's folder of submissions, as `nbgrader collect` puts it there."""
    handed = []
    for place in sorted(Path(folder).glob(f"*/{assignment}")):
        one = Handed(place.parent.name)
        _choose(
            one,
            {PurePosixPath(path.name): path for path in sorted(place.iterdir()) if _plain(path)},
            assignment,
        )
        handed.append(one)
    return handed


def _grouped(files, folders, assignment):
    """Files to students; `files` is {path: what `_content` reads}."""
    paths = [path for path in files if not _ignored(path)]
    top = {path.parts[0] for path in paths}
    if len(top) == 1 and all(len(path.parts) > 2 and path.parts[1] != assignment for path in paths):
        files = {
            PurePosixPath(*path.parts[1:]): files[path] for path in paths
        }  # one folder around everything
        paths, folders = list(files), []
    groups, nobodys = defaultdict(dict), []
    for path in paths:
        student = student_of(path, assignment)
        if student is None:
            nobodys.append(f"{path}: its name does not tell whose it is")
        else:
            groups[student][path] = files[path]
    for folder in folders:
        if not _ignored(PurePosixPath(folder)):
            groups.setdefault(student_of(PurePosixPath(folder, "x"), assignment), {})
    result, taken = [], {}
    for student in sorted(groups):
        name = _fit(student)
        if not name or name.casefold() in taken:
            why = (
                "no name for a folder"
                if not name
                else f"can't be told from {taken[name.casefold()]!r}"
            )
            nobodys.append(f"{student!r}: {why}; not graded")
            continue
        taken[name.casefold()] = student
        one = Handed(name)
        if name != student:
            one.notes.append(f"called {student!r} where it was handed in")
        _choose(one, groups[student], assignment)
        result.append(one)
    return result, nobodys


def _choose(one, files, assignment):
    """The notebook to grade, and what lies beside it."""
    books = [path for path in files if path.suffix.lower() == ".ipynb"]
    exact = [path for path in books if path.name == f"{assignment}.ipynb"]
    best = exact if len(exact) == 1 else books
    if len(best) != 1:
        names = ", ".join(path.name for path in books)
        one.problem = f"there are several notebooks ({names})" if books else "there is no notebook"
        return
    if best[0].name != f"{assignment}.ipynb":
        one.notes.append(f"the file was called {best[0].name!r}")
    one.notebook = _content(files[best[0]])
    if one.notebook is None:
        one.problem = f"the file has more than {MOST_BYTES // 10**6} MB: clear the outputs and hand it in again"
    beside = [
        path for path in files if path.parent == best[0].parent and path.suffix.lower() != ".ipynb"
    ]
    for path in beside[:MOST_FILES]:
        if path.name != "timestamp.txt" and (content := _content(files[path])) is not None:
            one.files[path.name] = content


def _in_folder(source):
    files = [path for path in sorted(source.rglob("*")) if _plain(path)]
    return {PurePosixPath(path.relative_to(source).as_posix()): path for path in files}


def _in_zip(packed):
    members = [one for one in packed.infolist() if not one.is_dir()]
    return {PurePosixPath(one.filename.replace("\\", "/")): (packed, one) for one in members}


def _content(place):
    """A file's bytes; None if it is too large."""
    if isinstance(place, Path):
        return place.read_bytes() if place.stat().st_size <= MOST_BYTES else None
    packed, member = place
    with packed.open(member) as stream:
        content = stream.read(MOST_BYTES + 1)  # not what the archive says of its size
    return content if len(content) <= MOST_BYTES else None


def _plain(path):
    return path.is_file() and not path.is_symlink()


def _ignored(path):
    return any(part.startswith(".") or part == "__MACOSX" for part in path.parts)


def _fit(name):
    """A folder's name that is safe everywhere, also in nbgrader's patterns."""
    words = unicodedata.normalize("NFC", name).strip()
    return re.sub(r"[^\w.@+-]+", "_", words).strip("._")[:100]
