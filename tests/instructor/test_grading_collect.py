"""From what was handed in to nbgrader's folders, and from its gradebook to a file: no student's kernel runs here."""

import argparse
import csv
import io
import shutil
import subprocess
import tracemalloc
import zipfile
from datetime import datetime
from pathlib import Path, PurePosixPath

import pytest
from nbgrader.api import Gradebook

from instructor.grading import (
    autograde,
    collect,
    container,
    grade_class,
    gradebook,
    gradebook_export,
    master_notebook,
    platform_export,
    sandbox,
)
from tests.instructor import small_course as small

NAME = small.NAME


@pytest.fixture
def course(tmp_path):
    return small.make(tmp_path / "course")


def tree(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def packed(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def taken_in(source, folder):
    """{student: what was handed in}, stored in a folder; what belongs to nobody."""
    with collect.found(source, NAME) as (everybody, nobodys):
        for one in everybody:
            collect.store(one, folder, NAME)
        return {one.student: one for one in everybody}, nobodys


def stored(folder, student):
    place = folder / student / NAME
    return {
        path.name: path.read_bytes() for path in place.iterdir() if path.name != "timestamp.txt"
    }


BOOK = f"{NAME}.ipynb"


@pytest.mark.parametrize(
    ("path", "student"),
    [
        (f"ada/{NAME}.ipynb", "ada"),
        (f"ada/{NAME}/{NAME}.ipynb", "ada"),
        (f"ada_{NAME}.ipynb", "ada"),
        (f"{NAME}_ada.ipynb", "ada"),
        (f"{NAME}.ipynb", None),
        ("something.ipynb", None),
    ],
)
def test_whose_a_file_in_folders_is(path, student):
    assert collect.student_of(PurePosixPath(path), NAME) == student


def test_a_folder_of_students(tmp_path):
    source = tree(
        tmp_path / "in",
        {
            f"ada/{NAME}.ipynb": b"A",
            "ada/helper.py": b"x = 1",
            "ada/draft.ipynb": b"not this",
            "ada/more/deep.txt": b"left out",
            "bob/homework.ipynb": b"B",
            "cy/one.ipynb": b"1",
            "cy/two.ipynb": b"2",
            f"dan/.ipynb_checkpoints/{NAME}.ipynb": b"old",
            f"Eve Ö./{NAME}.ipynb": b"E",
        },
    )
    (source / "fay").mkdir()
    found, _ = taken_in(source, tmp_path / "out")
    assert sorted(found) == ["Eve_Ö", "ada", "bob", "cy", "dan", "fay"]
    assert stored(tmp_path / "out", "ada") == {BOOK: b"A", "helper.py": b"x = 1"}
    assert found["ada"].notes == [
        "1 files were left out: in other folders, more than 50, or with too long a name"
    ]
    assert stored(tmp_path / "out", "bob") == {BOOK: b"B"}
    assert found["bob"].notes == ["the file was called 'homework.ipynb'"]
    assert found["cy"].problem == "there are several notebooks (one.ipynb, two.ipynb)"
    assert found["dan"].problem == found["fay"].problem == "there is no notebook"
    assert found["Eve_Ö"].notes == ["called 'Eve Ö.' where it was handed in"]


MOODLE = {  # as mod/assign/locallib.php names what it packs
    f"Ada Lovelace_4711_assignsubmission_file_/{BOOK}": b"first Ada",
    f"Ada Lovelace_4712_assignsubmission_file_/{BOOK}": b"second Ada",
    "Ada Lovelace_4712_assignsubmission_onlinetext_/onlinetext.html": b"<p>see the file</p>",
    f"Zoë Ångström_4713_assignsubmission_file_/x_Ada Lovelace_4711_assignsubmission_file_{BOOK}": b"Zoe",
    "王 小明_4714_assignsubmission_file_/my homework.ipynb": b"Wang",
    "王 小明_4714_assignsubmission_file_/helper.py": b"x = 1",
    "Only Text_4715_assignsubmission_onlinetext_/onlinetext.html": b"<p>forgot the file</p>",
    f"Flat File_4716_assignsubmission_file_{BOOK}": b"flat",
    f"Participant_4717_assignsubmission_file_/{BOOK}": b"blind",
}


@pytest.mark.parametrize("unpacked", [False, True])
def test_a_download_from_moodle(tmp_path, unpacked):
    source = tree(tmp_path / "in", MOODLE) if unpacked else packed(tmp_path / "all.zip", MOODLE)
    found, nobodys = taken_in(source, tmp_path / "out")
    assert nobodys == []
    assert {name: one.platform["id"] for name, one in found.items()} == {
        "Ada_Lovelace_4711": "4711",
        "Ada_Lovelace_4712": "4712",
        "Zoë_Ångström": "4713",
        "王_小明": "4714",
        "Only_Text": "4715",
        "Flat_File": "4716",
        "Participant": "4717",
    }
    out = tmp_path / "out"
    assert stored(out, "Ada_Lovelace_4711") == {BOOK: b"first Ada"}
    assert stored(out, "Ada_Lovelace_4712") == {BOOK: b"second Ada"}
    assert stored(out, "Zoë_Ångström") == {BOOK: b"Zoe"}
    assert stored(out, "王_小明") == {BOOK: b"Wang", "helper.py": b"x = 1"}
    assert found["Only_Text"].problem == "there is no notebook, only online text"


CANVAS = {
    f"lovelaceada_22_333_{NAME}.ipynb": b"Ada",
    f"lovelaceada_23_334_{NAME}.ipynb": b"another Ada",
    f"ångströmzoë_LATE_24_335_{NAME}-1.ipynb": b"Zoe, earlier",
    f"ångströmzoë_LATE_24_340_{NAME}-2.ipynb": b"Zoe",
    "ångströmzoë_LATE_24_341_helper.py": b"x = 1",
    f"de_la_cruz_juan_25_336_lovelaceada_22_999_{NAME}.ipynb": b"Juan",
    "onlytext_26_text.html": b"<p>see my file</p>",
    f"mallory_27_337_x_ada_attempt_2026-11-21-10-00-00_{NAME}.ipynb": b"Mallory",
}


def test_a_download_from_canvas(tmp_path):
    found, nobodys = taken_in(packed(tmp_path / "all.zip", CANVAS), tmp_path / "out")
    assert nobodys == []
    assert {name: one.platform["id"] for name, one in found.items()} == {
        "lovelaceada_22": "22",
        "lovelaceada_23": "23",
        "ångströmzoë": "24",
        "de_la_cruz_juan": "25",
        "onlytext": "26",
        "mallory": "27",
    }
    out = tmp_path / "out"
    assert stored(out, "lovelaceada_22") == {BOOK: b"Ada"}
    assert stored(out, "ångströmzoë") == {BOOK: b"Zoe", "helper.py": b"x = 1"}
    assert stored(out, "de_la_cruz_juan") == {BOOK: b"Juan"}
    assert stored(out, "mallory") == {BOOK: b"Mallory"}
    assert found["ångströmzoë"].late
    assert not found["mallory"].late
    assert found["onlytext"].problem == "there is no notebook, only online text"


def report(name, user):
    text = f"Name: {name} ({user})\nAssignment: Homework_1\nDate Submitted: Friday, November 20, 2026\n"
    return (text + "Submission Field:\nName: Ada (ada)\n").encode()


BLACKBOARD = {
    "Homework_1_ada_attempt_2026-11-20-10-00-00.txt": report("Ada Lovelace", "ada"),
    f"Homework_1_ada_attempt_2026-11-20-10-00-00_{BOOK}": b"Ada",
    "Homework_1_eve_x_attempt_2026-11-20-11-00-00.txt": report("Eve", "eve_x"),
    f"Homework_1_eve_x_attempt_2026-11-20-11-00-00_x_ada_attempt_2026-11-21-10-00-00_{BOOK}": b"Eve",
    "Homework_1_bob_attempt_2026-11-20-09-00-00.txt": report("Bob", "bob"),
    f"Homework_1_bob_attempt_2026-11-20-09-00-00_{BOOK}": b"Bob, first attempt",
    "Homework_1_bob_attempt_2026-11-22-09-00-00.txt": report("Bob", "bob"),
    f"Homework_1_bob_attempt_2026-11-22-09-00-00_{BOOK}": b"Bob, second attempt",
    "Homework_1_dan_attempt_2026-11-22-09-30-00.txt": report("Dan", "dan"),
}


@pytest.mark.parametrize("reports", [True, False])
def test_a_download_from_blackboard(tmp_path, reports):
    files = {name: text for name, text in BLACKBOARD.items() if reports or "00.txt" not in name}
    found, nobodys = taken_in(packed(tmp_path / "all.zip", files), tmp_path / "out")
    assert nobodys == []
    assert sorted(found) == ["ada", "bob", *(["dan"] if reports else []), "eve_x"]
    out = tmp_path / "out"
    assert stored(out, "ada") == {BOOK: b"Ada"}
    assert stored(out, "eve_x") == {BOOK: b"Eve"}
    assert stored(out, "bob") == {BOOK: b"Bob, second attempt"}
    assert found["bob"].notes[0] == "2 attempts; that of 2026-11-22-09-00-00 counts"
    assert f"{found['bob'].time:%Y-%m-%d %H:%M}" == "2026-11-22 09:00"
    if reports:
        assert found["dan"].problem == "there is no notebook"


def test_a_zip_with_files_of_nobody(tmp_path):
    path = packed(tmp_path / "all.zip", MOODLE | {"stray.ipynb": b"?"})
    _, nobodys = taken_in(path, tmp_path / "out")
    assert nobodys == ["stray.ipynb: its name does not tell whose it is"]


def test_a_zip_with_one_folder_around_it(tmp_path):
    for number, files in enumerate(
        ({f"Class 1/{who}/x.ipynb": who.encode() for who in ("ada", "bob")}, MOODLE)
    ):
        inside = files if number == 0 else {f"Class 1/{name}": text for name, text in files.items()}
        found, _ = taken_in(packed(tmp_path / f"{number}.zip", inside), tmp_path / f"out{number}")
        assert len(found) == (2 if number == 0 else 7)
    assert stored(tmp_path / "out0", "ada") == {BOOK: b"ada"}


def test_names_that_lead_elsewhere_lead_nowhere(tmp_path):
    path = packed(
        tmp_path / "evil.zip", {"../up/x.ipynb": b"", "a/../../x.ipynb": b"", "..ipynb": b""}
    )
    found, nobodys = taken_in(path, tmp_path / "out")
    assert found == {}
    assert nobodys == []


def test_names_that_come_to_the_same_folder_are_kept_apart(tmp_path):
    names = [
        "Ada L",
        "ada_l",
        "ADA-L",
        "Zoe\u0308",
        "Zoë",
        "...",
        "???",
        "x" * 200,
        "x" * 201,
        "王" * 80,
    ]
    source = tree(tmp_path / "in", {f"{name}/x.ipynb": name.encode() for name in names})
    found, nobodys = taken_in(source, tmp_path / "out")
    assert (nobodys, len(found)) == ([], len(names) - 1)  # a hidden folder is nobody's
    assert sorted(stored(tmp_path / "out", student)[BOOK] for student in found) == sorted(
        name.encode() for name in names if not name.startswith(".")
    )
    assert all(len(student.encode()) < 150 for student in found)
    again, _ = taken_in(source, tmp_path / "out")
    assert sorted(again) == sorted(found)


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "secret.ipynb").write_bytes(b"another's")
    (tmp_path / "all" / "ada").mkdir(parents=True)
    (tmp_path / "all" / "ada" / f"{NAME}.ipynb").symlink_to(tmp_path / "secret.ipynb")
    found, _ = taken_in(tmp_path / "all", tmp_path / "out")
    assert found["ada"].problem == "there is no notebook"


def test_what_unpacks_to_too_much_costs_only_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(collect, "MOST_BYTES", 1000)
    monkeypatch.setattr(collect, "MOST_BESIDE", 1500)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"ada/{NAME}.ipynb", bytes(10**6))
        archive.writestr(f"bob/{NAME}.ipynb", b"B")
        for number in range(6):
            archive.writestr(f"bob/{number}.bin", bytes(900))
    found, _ = taken_in(tmp_path / "bomb.zip", tmp_path / "out")
    assert "clear the outputs" in found["ada"].problem
    assert len(stored(tmp_path / "out", "bob")) == 2
    assert sum("was left out: it has more than" in note for note in found["bob"].notes) == 5


def test_six_files_of_zeros_are_never_in_memory_at_once(tmp_path):
    with zipfile.ZipFile(tmp_path / "zeros.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"ada/{NAME}.ipynb", b"A")
        for number in range(6):
            archive.writestr(f"ada/{number}.bin", bytes(49_000_000))
    tracemalloc.start()
    found, _ = taken_in(tmp_path / "zeros.zip", tmp_path / "out")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20_000_000
    assert len(stored(tmp_path / "out", "ada")) == 2
    assert len(found["ada"].notes) == 5


def test_names_and_members_that_cannot_be_stored_cost_nobody_anything(tmp_path):
    path = packed(
        tmp_path / "all.zip",
        {
            f"ada/{NAME}.ipynb": b"A",
            f"ada/{'h' * 250}.py": b"x = 1",
            f"bob/{NAME}.ipynb": b"B",
            "bob/secret.txt": b"locked",
            f"cy/{NAME}.ipynb": b"C",
            f"dan/{NAME}.ipynb": b"D",
        },
    )
    content = bytearray(path.read_bytes())
    for name in (b"bob/secret.txt", f"cy/{NAME}.ipynb".encode()):  # say that they are encrypted
        central = content.rindex(name) - 46
        content[central + 8] |= 1
    path.write_bytes(content)
    found, _ = taken_in(path, tmp_path / "out")
    assert sorted(found) == ["ada", "bob", "cy", "dan"]
    assert stored(tmp_path / "out", "ada") == {BOOK: b"A"}
    assert "too long a name" in found["ada"].notes[0]
    assert stored(tmp_path / "out", "bob") == {BOOK: b"B"}
    assert "'secret.txt' was left out: it can't be unpacked" in found["bob"].notes[0]
    assert "can't be unpacked" in found["cy"].problem
    assert stored(tmp_path / "out", "dan") == {BOOK: b"D"}


def test_what_is_neither_folder_nor_zip(tmp_path):
    (tmp_path / "x.tar").write_bytes(b"?")
    with pytest.raises(ValueError, match=r"neither a folder nor a zip file"):
        taken_in(tmp_path / "x.tar", tmp_path / "out")
    with pytest.raises(ValueError, match=r"neither a folder nor a zip file"):
        taken_in(tmp_path / "nothing.zip", tmp_path / "out")


def test_stored_submissions_are_only_touched_where_they_differ(tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    tree(source, {f"ada/{BOOK}": b"A", "ada/helper.py": b"1"})
    first, _ = taken_in(source, out)
    target = out / "ada" / NAME
    before = {path.name: path.stat().st_mtime_ns for path in target.iterdir()}
    (target / "timestamp.txt").write_text("2026-11-21 10:00:00 UTC", encoding="utf-8")
    again, _ = taken_in(source, out)
    assert again["ada"].digest == first["ada"].digest
    assert f"{again['ada'].time:%d %H}" == "21 10"
    assert {
        path.name: path.stat().st_mtime_ns for path in target.iterdir() if path.name in before
    } == before
    (source / "ada" / "helper.py").unlink()
    changed, _ = taken_in(tree(source, {f"ada/{BOOK}": b"B"}), out)
    assert changed["ada"].digest != first["ada"].digest
    assert {path.name for path in target.iterdir()} == {BOOK, "timestamp.txt"}
    (one,) = collect.already(out, NAME)
    assert (one.student, one.notebook, one.files) == ("ada", target / BOOK, {})
    assert f"{one.time:%d %H}" == "21 10"


def test_a_students_own_time_stamp_is_not_believed(tmp_path):
    source = tree(
        tmp_path / "in", {f"ada/{BOOK}": b"A", "ada/timestamp.txt": b"2000-01-01 00:00:00 UTC"}
    )
    found, _ = taken_in(source, tmp_path / "out")
    assert found["ada"].time is None
    assert not (tmp_path / "out" / "ada" / NAME / "timestamp.txt").exists()


@pytest.mark.parametrize(
    ("platform", "head", "line"),
    [
        ("moodle", "Identifier,Full name,Grade,Maximum grade", "Participant 7,Ada L,4.5,6.0"),
        ("canvas", f"Student,ID,SIS User ID,SIS Login ID,Section,{NAME}", "Ada L,7,,,,4.5"),
        ("blackboard", f"Username,{NAME} [Total Pts: 6 Score]", "7,4.5"),
    ],
)
def test_marks_in_the_layouts_that_platforms_import(platform, head, line):
    rows = [
        {"student_id": "ada", "score": 4.5, "max_score": 6.0},
        {"student_id": "bob", "score": None, "max_score": 6.0},
        {"student_id": "not from there", "score": 1.0, "max_score": 6.0},
    ]
    origins = {"ada": {"id": "7", "name": "Ada L"}, "bob": {"id": "8", "name": "=Bob"}}
    lines = platform_export.text(platform, NAME, rows, origins).splitlines()
    assert lines[0] == head
    assert line in lines
    assert len(lines) == 3 + (platform == "canvas")
    bob = lines[-1].split(",")
    assert "8" in bob[0] or bob[1] == "8"
    assert bob[2 if platform == "moodle" else -1] == ""
    assert not any(field.startswith("=") for field in bob)


# the gradebook


@pytest.fixture(scope="module")
def registered(tmp_path_factory):
    """Takes nbgrader seconds, so it is done once and copied."""
    course = small.make(tmp_path_factory.mktemp("registered"))
    assert gradebook.register(
        autograde.config_of(course), master_notebook.load(course / "source", NAME)
    )
    return course


@pytest.fixture
def config(course, registered):
    shutil.copytree(registered, course, dirs_exist_ok=True)
    return autograde.config_of(course)


def marked(add=2.0, twice=3.0, why=None, **more):
    values = {"add-test": (add, 2.0), "twice-test": (twice, 3.0), "why": (why, 1.0)}
    cells = {
        name: {"auto": auto, "max": most, "message": "", "comment": None}
        for name, (auto, most) in values.items()
    }
    return autograde.Marked(
        NAME, cells=more.pop("cells", cells), answers=more.pop("answers", "1"), **more
    )


def grades(book, student="ada"):
    notebook = book.find_submission(NAME, student).notebooks[0]
    return {
        one.name: (one.auto_score, one.manual_score, one.needs_manual_grade)
        for one in notebook.grades
    }


def test_registering_again_changes_nothing_until_the_master_does(course, config):
    wanted = master_notebook.load(course / "source", NAME)
    assert (course / "release" / NAME / f"{NAME}.ipynb").is_file()
    assert not gradebook.register(config, wanted)
    small.write(
        course / "source" / NAME / f"{NAME}.ipynb", small.the_master(add_test="assert True")
    )
    assert gradebook.register(config, master_notebook.load(course / "source", NAME))


def test_nbgrader_refuses_new_cells_once_there_are_submissions(course, config):
    with gradebook.opened(config) as book:
        gradebook.record(book, "ada", marked(), None)
    changed = small.the_master()
    changed.cells.append(small.cell("code", "more-test", "assert True", 1))
    small.write(course / "source" / NAME / f"{NAME}.ipynb", changed)
    with pytest.raises(master_notebook.NoMaster, match=r"Cannot add or remove cells"):
        gradebook.register(config, master_notebook.load(course / "source", NAME))


def test_what_a_person_marked_stays_and_is_asked_about_when_its_ground_changes(config):
    with gradebook.opened(config) as book:
        gradebook.record(book, "ada", marked(), None)
        assert grades(book) == {
            "add-test": (2.0, None, False),
            "twice-test": (3.0, None, False),
            "why": (None, None, True),
        }
        for name, points in (("why", 1.0), ("add-test", 1.5)):
            one = book.find_grade(name, NAME, NAME, "ada")
            one.manual_score, one.needs_manual_grade = points, False
        book.db.commit()
        gradebook.record(book, "ada", marked(), marked())
        assert grades(book)["why"] == (None, 1.0, False)
        gradebook.record(book, "ada", marked(add=0.0), marked())
        assert grades(book)["add-test"] == (0.0, 1.5, True)
        assert grades(book)["why"] == (None, 1.0, False)
        gradebook.record(book, "ada", marked(add=0.0, answers="2"), marked(add=0.0))
        assert grades(book)["why"] == (None, 1.0, True)


def test_a_failed_regrade_does_not_keep_the_old_points(config):
    with gradebook.opened(config) as book:
        gradebook.record(book, "ada", marked(), None)
        book.find_grade("why", NAME, NAME, "ada").manual_score = 1.0
        gradebook.record(book, "ada", autograde.Marked(NAME, problem="the file is empty"), marked())
        assert grades(book) == {
            "add-test": (None, None, True),
            "twice-test": (None, None, True),
            "why": (None, 1.0, True),
        }


def test_what_is_flagged_is_to_be_reviewed(config):
    note = {"text": "tampered", "cell": "add-test", "review": True}
    with gradebook.opened(config) as book:
        gradebook.record(book, "ada", marked(add=0.0, notes=[note]), None)
        assert grades(book)["add-test"] == (0.0, None, True)
        assert grades(book)["twice-test"] == (3.0, None, False)


def test_another_database_is_passed_through(course, monkeypatch):
    url, asked = "postgresql://teacher@db.example/musiclab", []
    config = autograde.config_of(course)
    config.CourseDirectory.db_url = url
    monkeypatch.setattr(gradebook, "Gradebook", lambda *words: asked.append(words))
    gradebook.opened(config)
    assert asked == [(url, "musiclab")]


def test_the_marks_as_csv(config):
    with gradebook.opened(config) as book:
        for student, one in {
            "ada": marked(why=0.0),
            "bob": marked(0.0, 0.0, 0.0, answers=None),
            "cy": marked(),
            "dan": autograde.Marked(NAME, problem="no notebook"),
        }.items():
            gradebook.record(book, student, one, None)
        book.add_student("eve", last_name='O"Neil, Jr', first_name="=1+1", email="eve@example.org")
        content = gradebook_export.text(gradebook_export.rows(book))
    table = {row["student_id"]: row for row in csv.DictReader(io.StringIO(content))}
    assert {
        name: (row["score"], row["points_so_far"], row["state"]) for name, row in table.items()
    } == {
        "ada": ("5.0", "5.0", "graded"),
        "bob": ("0.0", "0.0", "graded"),
        "cy": ("", "5.0", "to mark"),
        "dan": ("", "", "not graded"),
        "eve": ("", "", "nothing handed in"),
    }
    assert table["eve"]["last_name"] == 'O"Neil, Jr'
    assert table["eve"]["first_name"] == "'=1+1"  # text, for a spreadsheet too
    assert {row["max_score"] for row in table.values()} == {"6.0"}


def test_points_that_stand_on_both_tests_and_people(config):
    with gradebook.opened(config) as book:
        gradebook.record(book, "ada", marked(), None)
        for name, points in (("why", 0.5), ("add-test", 1.0)):
            one = book.find_grade(name, NAME, NAME, "ada")
            one.manual_score, one.needs_manual_grade = points, False
        book.db.commit()
        assert (
            gradebook_export.rows(book)[0] | {"score": 4.5, "state": "graded"}
            == gradebook_export.rows(book)[0]
        )
        assert isinstance(book, Gradebook)


# where there is no sandbox


def options(**more):
    given = {"assignment": NAME, "submissions": None, "jobs": 3, "minutes": 60.0}
    return argparse.Namespace(**given | {"student": None, "due": None} | more)


def test_without_a_sandbox_it_refuses_and_says_what_to_do(monkeypatch):
    monkeypatch.setattr(sandbox, "problem", lambda: "there is no bwrap on this machine")
    with pytest.raises(
        sandbox.NoSandbox, match=r"no bwrap on this machine.*apt install bubblewrap.*--unsafe"
    ):
        sandbox.demand(unsafe=False)
    sandbox.demand(unsafe=True)


def test_the_container_has_the_course_and_the_submissions(tmp_path):
    course = small.ROOT / "instructor"
    words = container.words("podman", course, options(submissions=tmp_path))
    assert words[:3] == ["podman", "run", "--rm"]
    assert f"{small.ROOT}:/course" in words
    assert f"{tmp_path.resolve()}:/submissions:ro" in words
    end = [
        "-m",
        "instructor.grading.grade_class",
        NAME,
        "--course",
        "/course/instructor",
        "--jobs",
        "3",
        "--minutes",
        "60.0",
    ]
    assert words[-len(end) - 2 :] == [*end, "--submissions", "/submissions"]
    due = datetime.fromisoformat("2026-11-20T23:59+01:00")
    elsewhere = container.words("docker", tmp_path, options(student=["ada"], due=due))
    assert elsewhere[-4:] == ["--student", "ada", "--due", "2026-11-20T23:59:00+01:00"]
    assert f"{tmp_path}:/class" in elsewhere
    assert "/submissions" not in elsewhere


def test_the_container_is_used_where_there_is_no_bubblewrap(course, monkeypatch):
    ran = []

    def run(words, **_):
        ran.append(words)
        return subprocess.CompletedProcess(words, 0)

    monkeypatch.setattr(sandbox, "problem", lambda: "there is no bwrap on this machine")
    monkeypatch.setattr(container, "engine", lambda: "docker")
    monkeypatch.setattr(container.subprocess, "run", run)
    assert grade_class.main([NAME, "--course", str(course)]) == 0
    assert [words[1] for words in ran] == ["build", "run"]
    assert (small.ROOT / "instructor" / "Containerfile").is_file()


def test_git_never_takes_up_a_class():
    names = [
        "gradebook.db",
        "gradebook.db-journal",
        "submitted/ada/x.ipynb",
        "autograded/a",
        "feedback/a",
        "release/a",
    ]
    names += ["marks/90_small.csv", "marks/90_small/ada.json", "downloaded/a.zip", "grades.csv"]
    for name in names:
        words = [
            "git",
            "-c",
            f"safe.directory={small.ROOT.as_posix()}",
            "check-ignore",
            "--no-index",
        ]
        done = subprocess.run(
            [*words, f"instructor/{name}"], cwd=small.ROOT, capture_output=True, check=False
        )
        assert done.returncode == 0, name
    assert Path(small.ROOT / "instructor" / "grading" / "grade_class.py").is_file()
