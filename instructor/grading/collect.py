"""Collecting submissions: a folder or a learning platform's zip file into nbgrader's `submitted` folder."""

from __future__ import annotations

import hashlib
import re
import shutil
import stat
import unicodedata
import zipfile
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from nbgrader.utils import parse_utc

from instructor.grading import platform_layouts
from instructor.grading.platform_layouts import File
from instructor.grading.restore_cells import MOST_BYTES
from instructor.grading.submission_report import plain

__all__ = ["EXCHANGE", "Handed", "already", "found", "store", "student_of"]

MOST_FILES = 50  # beside the notebook
MOST_BESIDE = 50_000_000  # bytes of them together
MOST_NAME = 200  # bytes of a file's name
BLOCK = 1 << 20
STAMP = "timestamp.txt"  # nbgrader's, as its exchange writes it
EXCHANGE = (STAMP, "submission_secret.txt")  # without which its exchange returns no feedback


@dataclass
class Handed:
    """What one student handed in.

    Attributes:
        student: the id, fit for a folder's name.
        notebook: where the notebook to be graded is; None if there is none.
        files: {name: where} of what lay beside it.
        notes: what was changed on the way, in words.
        problem: why there is nothing to grade, in words.
        time: when it was handed in, if that is known.
        late: whether the platform says that it was late.
        platform: the platform it came from, and the student's name and id there; empty if from a
          folder.
        digest: of the notebook and the files, once stored.
    """

    student: str
    notebook: object = None
    files: dict[str, object] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problem: str | None = None
    time: datetime | None = None
    late: bool = False
    platform: dict[str, str] = field(default_factory=dict)
    digest: str = ""


@contextmanager
def found(source: Path, assignment: str):
    """Find all submissions; their contents are read by `store`, while the context is open.

    Args:
        source: a folder with a folder for each student, or a zip file of a learning platform.
        assignment: its name.

    Yields:
        What each student handed in, by name; and what belongs to no student, in words.

    Raises:
        ValueError: if `source` is neither.
    """
    source = Path(source)
    if source.is_dir():
        folders = [one.name for one in sorted(source.iterdir()) if one.is_dir()]
        yield _grouped(_in_folder(source), folders, assignment)
        return
    try:
        packed = zipfile.ZipFile(source)
    except (OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"{source} is neither a folder nor a zip file ({error})") from None
    with packed:
        yield _grouped(_in_zip(packed), [], assignment)


def student_of(path: PurePosixPath, assignment: str) -> str | None:
    """Whose a file in a folder of folders is, by its path; None if the path does not tell.

    >>> student_of(PurePosixPath("ada/homework.ipynb"), "03_vae")
    'ada'
    >>> student_of(PurePosixPath("03_vae_ada.ipynb"), "03_vae")
    'ada'
    """
    if len(path.parts) > 1:
        return path.parts[0]
    name = path.name.removesuffix(".ipynb")
    for start, end in ((f"{assignment}_", ""), ("", f"_{assignment}")):
        if name.startswith(start) and name.endswith(end) and name != assignment:
            return name.removeprefix(start).removesuffix(end)
    return None


def store(handed: Handed, folder: Path, assignment: str) -> Path:
    """Put a submission into nbgrader's folder of submissions, touching nothing that is the same.

    What of it can't be read is noted, or is the submission's problem; only a fault of this machine
    is raised.

    Args:
        handed: what was handed in; its `digest` is set.
        folder: the folder of submissions.
        assignment: its name.

    Returns:
        The submission's folder, `folder`/student/`assignment`.

    Raises:
        OSError: if the folder can't be written.
    """
    target = Path(folder) / handed.student / assignment
    target.mkdir(parents=True, exist_ok=True)
    kept, left, digests = {STAMP}, MOST_BESIDE, []
    wanted = {} if handed.notebook is None else {f"{assignment}.ipynb": handed.notebook}
    for name, where in (wanted | handed.files).items():
        is_notebook = name == f"{assignment}.ipynb"
        content = _Content(where, MOST_BYTES if is_notebook else left)
        digest = content.write(target / name)
        if digest is not None:
            kept.add(name)
            digests.append(f"{name}\0{digest}")
            left -= 0 if is_notebook else content.size
        elif is_notebook:
            handed.problem = content.problem
        else:
            handed.notes.append(f"the file {name!r} was left out: {content.problem}")
    for old in target.iterdir():
        if old.name not in kept:
            shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    _stamp(handed, target / STAMP)
    handed.digest = hashlib.sha256("\0".join(digests).encode(errors="replace")).hexdigest()
    return target


def already(folder: Path, assignment: str) -> list[Handed]:
    """What lies in nbgrader's folder of submissions, as `nbgrader collect` puts it there; digests are set."""
    handed = []
    for place in sorted(Path(folder).glob(f"*/{assignment}")):
        one = Handed(place.parent.name)
        files = {PurePosixPath(path.name): path for path in sorted(place.iterdir()) if _plain(path)}
        _choose(one, [File(path, path.name, one.student) for path in files], files, assignment)
        parts = ({} if one.notebook is None else {"": one.notebook}) | one.files
        digests = [
            f"{name}\0{_Content(where, 4 * MOST_BYTES).digest()}" for name, where in parts.items()
        ]
        one.digest = hashlib.sha256("\0".join(digests).encode(errors="replace")).hexdigest()
        one.time = _time(place / STAMP)
        handed.append(one)
    return handed


class _Content:
    """A file's bytes, in a folder or packed, never whole in memory.

    Attributes:
        size: how many were read.
        problem: why they could not be, in words.
    """

    def __init__(self, where, limit: int):
        self.where, self.limit, self.size, self.problem = where, limit, 0, None

    def digest(self) -> str | None:
        """Their digest; None if they can't be read."""
        digest = hashlib.sha256()
        try:
            for block in self._blocks():
                digest.update(block)
        except (OSError, ValueError) as error:
            self.problem = self.problem or plain(str(error))
            return None
        return digest.hexdigest()

    def write(self, target: Path) -> str | None:
        """Write them to a file, whole or not at all, unless they stand there already; returns their digest."""
        digest = self.digest()
        if digest is None:
            return None
        same = target.is_file() and not target.is_symlink()
        if same and _Content(target, 4 * MOST_BYTES).digest() == digest:
            return digest
        part = target.with_name(".part")
        with part.open("wb") as file:
            for block in self._blocks():
                file.write(block)
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        part.replace(target)
        return digest

    def _blocks(self):
        self.size = 0
        with self._open() as stream:
            while block := self._read(stream):
                self.size += len(block)  # not what the archive says of its size
                if self.size > self.limit:
                    self.problem = f"it has more than {self.limit / 1e6:.0f} MB"
                    if self.limit == MOST_BYTES:
                        self.problem += ": clear the outputs and hand it in again"
                    raise ValueError(self.problem)
                yield block

    def _open(self):
        if isinstance(self.where, Path):
            return self.where.open("rb")
        packed, member = self.where
        try:
            return packed.open(member)
        except Exception as error:  # encrypted, of an unknown method, or cut off: of many kinds
            raise ValueError(f"it can't be unpacked ({plain(str(error))})") from None

    def _read(self, stream):
        if isinstance(self.where, Path):
            return stream.read(BLOCK)
        try:
            return stream.read(BLOCK)
        except Exception as error:
            raise ValueError(f"it can't be unpacked ({plain(str(error))})") from None


def _grouped(files, folders, assignment):
    """Files to students; `files` is {path: where it can be read}."""
    paths = [path for path in files if path.parts and not _ignored(path)]
    layout = platform_layouts.layout_of(paths)
    top = {path.parts[0] for path in paths}
    if layout is None and len(top) == 1 and all(_deep(path, assignment) for path in paths):
        around = next(iter(top))  # one folder around everything
        files = {PurePosixPath(*path.parts[1:]): files[path] for path in paths}
        paths, layout = list(files), platform_layouts.layout_of(list(files))
        folders = [] if folders == [around] else folders
    if layout:
        owned, rest = platform_layouts.by_layout(
            layout, paths, lambda path: _first_line(files[path])
        )
    else:
        owned = [File(path, path.name, student_of(path, assignment)) for path in paths]
        rest = [file.path for file in owned if file.student is None]
        owned = [file for file in owned if file.student is not None]
        owned += [
            File(PurePosixPath(name), "", name, kind="folder")
            for name in folders
            if not _ignored(PurePosixPath(name))
        ]
    groups = defaultdict(list)
    for file in owned:
        groups[file.student, file.platform_id].append(file)
    nobodys = [f"{plain(str(path))}: its name does not tell whose it is" for path in rest]
    result = []
    for (student, platform_id), name in _ids(groups).items():
        one = Handed(name)
        if name != student:
            one.notes.append(f"called {student!r} where it was handed in")
        if layout:
            one.platform = {"platform": layout, "id": platform_id, "name": student}
        _choose(one, groups[student, platform_id], files, assignment)
        result.append(one)
    result.sort(key=lambda one: one.student)
    if len(result) != len(groups) or len({one.student.casefold() for one in result}) != len(groups):
        raise RuntimeError(f"{len(groups)} people handed in, and {len(result)} were found")
    return result, nobodys


def _deep(path, assignment):
    return (
        len(path.parts) > 1
        and (len(path.parts) == 2 or path.parts[1] != assignment)
        and (
            len(path.parts) > 2
            or platform_layouts.layout_of([PurePosixPath(path.parts[1])]) is not None
        )
    )


def _ids(groups):
    """{(student, platform's id): a folder's name}: the name alone where it is the only one of its kind."""
    same = defaultdict(list)
    for student, platform_id in sorted(groups):
        same[_fit(student).casefold()].append((student, platform_id))
    names = {}
    for students in same.values():
        for student, platform_id in students:
            name = _fit(student)
            if len(students) > 1 or not name:
                mark = re.sub(r"\W+", "", platform_id) if platform_id else _short(student)
                if (
                    sum(
                        _fit(other) + other_id == name + platform_id for other, other_id in students
                    )
                    > 1
                ):
                    mark = _short(student + "\0" + platform_id)
                name = f"{name or 'student'}_{mark}"
            names[student, platform_id] = name
    taken = defaultdict(list)
    for key, name in names.items():
        taken[name.casefold()].append(key)
    for keys in taken.values():
        for student, platform_id in keys if len(keys) > 1 else []:
            names[student, platform_id] += "_" + _short(student + "\0" + platform_id)
    return names


def _short(text):
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:8]


def _choose(one, owned, files, assignment):
    """The notebook to grade, and what lies beside it."""
    one.late = any(file.late for file in owned)
    attempts = sorted({file.attempt for file in owned if file.kind in ("file", "report")})
    if one.platform.get("platform") == "blackboard" and attempts:
        one.time = _local(attempts[-1])
        with_book = sorted({file.attempt for file in owned if _is_notebook(file)})
        last = with_book[-1] if with_book else attempts[-1]
        if len(attempts) > 1:
            one.notes.append(f"{len(attempts)} attempts; that of {last} counts")
        if last != attempts[-1]:
            one.notes.append("the last attempt has no notebook")
            one.time = _local(last)
        owned = [file for file in owned if file.attempt == last]
    books = [file for file in owned if _is_notebook(file)]
    exact = [file for file in books if PurePosixPath(file.name).name == f"{assignment}.ipynb"]
    best = exact if len(exact) == 1 else books
    if len(best) > 1 and len({_base(file.name) for file in best}) == 1 and best[0].attempt:
        best = [max(best, key=lambda file: file.attempt)]  # handed in again
        one.notes.append(f"handed in {len(books)} times; the last one counts")
    if len(best) != 1:
        names = ", ".join(plain(file.name) for file in books[:5])
        text = any(file.kind == "text" for file in owned)
        one.problem = (
            f"there are several notebooks ({names})"
            if books
            else "there is no notebook, only online text"
            if text
            else "there is no notebook"
        )
        return
    if PurePosixPath(best[0].name).name != f"{assignment}.ipynb":
        one.notes.append(f"the file was called {PurePosixPath(best[0].name).name!r}")
    one.notebook = files[best[0].path]
    folder = PurePosixPath(best[0].name).parent
    beside = [file for file in owned if file.kind == "file" and not _is_notebook(file)]
    near = [file for file in beside if PurePosixPath(file.name).parent == folder]
    if one.platform == {}:
        near = [file for file in near if file.path.parent == best[0].path.parent]
    names = {PurePosixPath(file.name).name: files[file.path] for file in near}
    for name in EXCHANGE:
        names.pop(name, None)
    fit = [name for name in names if len(name.encode(errors="replace")) <= MOST_NAME]
    one.files = {name: names[name] for name in fit[:MOST_FILES]}
    if (
        left_out := len({file.path for file in beside})
        - len(one.files)
        - sum(name in EXCHANGE for name in {file.name for file in beside})
    ):
        one.notes.append(
            f"{left_out} files were left out: in other folders, more than {MOST_FILES}, or with too long a name"
        )


def _is_notebook(file):
    return file.kind == "file" and PurePosixPath(file.name).suffix.lower() == ".ipynb"


def _base(name):
    """A file's name without the `-1` of one that was handed in again."""
    return re.sub(r"-\d+$", "", PurePosixPath(name).stem)


def _in_folder(source):
    files = [path for path in sorted(source.rglob("*")) if _plain(path)]
    return {PurePosixPath(path.relative_to(source).as_posix()): path for path in files}


def _in_zip(packed):
    members = [one for one in packed.infolist() if not one.is_dir()]
    return {PurePosixPath(one.filename.replace("\\", "/")): (packed, one) for one in members}


def _first_line(where):
    try:
        stream = _Content(where, MOST_BYTES)._open()
        with stream:
            return stream.read(1000).decode("utf-8-sig", errors="replace").partition("\n")[0]
    except (OSError, ValueError):
        return ""


def _plain(path):
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _ignored(path):
    return any(part.startswith(".") or part == "__MACOSX" for part in path.parts)


def _fit(name):
    """A folder's name that is safe everywhere, also in nbgrader's patterns."""
    words = unicodedata.normalize("NFC", name).strip()
    words = re.sub(r"[^\w.@+-]+", "_", words).strip("._")
    short = words.encode(errors="replace")[:100].decode(errors="ignore")
    return short if short == words else f"{short}_{_short(name)}"


def _local(attempt):
    try:
        return datetime.strptime(attempt, "%Y-%m-%d-%H-%M-%S").astimezone()
    except ValueError:
        return None


def _stamp(handed, path):
    """Write the time down as nbgrader's exchange does, or take it from there."""
    if handed.time is None:
        handed.time = _time(path)
        return
    text = handed.time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")


def _time(path):
    try:
        if not _plain(path):
            return None
        text = path.read_text(encoding="utf-8")[:100].strip()
        return parse_utc(text).replace(tzinfo=UTC)
    except (OSError, ValueError, TypeError, OverflowError):
        return None
