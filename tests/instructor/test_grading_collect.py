"""From what was handed in to nbgrader's folders, and from its gradebook to a file: no student's kernel runs here."""

import argparse
import csv
import io
import shutil
import subprocess
import zipfile
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


def handed(source):
    return {one.student: one for one in collect.found(source, NAME)[0]}


@pytest.mark.parametrize(
    ("path", "student"),
    [
        (f"ada/{NAME}.ipynb", "ada"),
        (f"ada/{NAME}/{NAME}.ipynb", "ada"),
        (f"Ada Lovelace_4711_assignsubmission_file_/{NAME}.ipynb", "Ada Lovelace"),
        (f"Ada Lovelace_4711_assignsubmission_file/{NAME}.ipynb", "Ada Lovelace"),
        (f"lovelaceada_22_333_{NAME}.ipynb", "lovelaceada"),
        (f"lovelaceada_LATE_22_333_{NAME}-2.ipynb", "lovelaceada"),
        (f"Homework_ada_attempt_2026-11-21-10-00-00_{NAME}.ipynb", "ada"),
        (f"ada_{NAME}.ipynb", "ada"),
        (f"{NAME}_ada.ipynb", "ada"),
        (f"{NAME}.ipynb", None),
        ("something.ipynb", None),
    ],
)
def test_whose_a_file_is(path, student):
    assert collect.student_of(PurePosixPath(path), NAME) == student


def test_a_folder_of_students(tmp_path):
    source = tree(
        tmp_path,
        {
            f"ada/{NAME}.ipynb": b"A",
            "ada/helper.py": b"x = 1",
            "ada/draft.ipynb": b"not this",
            "bob/homework.ipynb": b"B",
            "cy/one.ipynb": b"1",
            "cy/two.ipynb": b"2",
            f"dan/.ipynb_checkpoints/{NAME}.ipynb": b"old",
            f"Eve Ö./{NAME}.ipynb": b"E",
        },
    )
    (source / "fay").mkdir()
    found = handed(source)
    assert sorted(found) == ["Eve_Ö", "ada", "bob", "cy", "dan", "fay"]
    assert (found["ada"].notebook, found["ada"].files, found["ada"].notes) == (
        b"A",
        {"helper.py": b"x = 1"},
        [],
    )
    assert (found["bob"].notebook, found["bob"].notes) == (
        b"B",
        ["the file was called 'homework.ipynb'"],
    )
    assert found["cy"].problem == "there are several notebooks (one.ipynb, two.ipynb)"
    assert found["dan"].problem == found["fay"].problem == "there is no notebook"
    assert found["Eve_Ö"].notes == ["called 'Eve Ö.' where it was handed in"]


def test_a_zip_of_a_learning_platform(tmp_path):
    names = [
        f"Ada Lovelace_1_assignsubmission_file_/{NAME}.ipynb",
        f"bob_2_3_{NAME}-1.ipynb",
        "stray.ipynb",
    ]
    path = packed(tmp_path / "all.zip", {name: name.encode() for name in names})
    found, nobodys = collect.found(path, NAME)
    assert {one.student: one.notebook for one in found} == {
        "Ada_Lovelace": names[0].encode(),
        "bob": names[1].encode(),
    }
    assert nobodys == ["stray.ipynb: its name does not tell whose it is"]


def test_a_zip_with_one_folder_around_it(tmp_path):
    path = packed(
        tmp_path / "all.zip", {f"Class 1/{who}/x.ipynb": who.encode() for who in ("ada", "bob")}
    )
    assert {name: one.notebook for name, one in handed(path).items()} == {
        "ada": b"ada",
        "bob": b"bob",
    }


def test_names_that_lead_elsewhere_lead_nowhere(tmp_path):
    path = packed(
        tmp_path / "evil.zip", {"../up/x.ipynb": b"", "a/../../x.ipynb": b"", "..ipynb": b""}
    )
    found, nobodys = collect.found(path, NAME)
    assert found == []
    assert nobodys == []


def test_two_students_who_cannot_be_told_apart(tmp_path):
    found, nobodys = collect.found(
        tree(tmp_path, {"Ada L/x.ipynb": b"1", "ada_l/x.ipynb": b"2"}), NAME
    )
    assert [one.notebook for one in found] == [b"1"]
    assert nobodys == ["'ada_l': can't be told from 'Ada L'; not graded"]


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "secret.ipynb").write_bytes(b"another's")
    (tmp_path / "all" / "ada").mkdir(parents=True)
    (tmp_path / "all" / "ada" / f"{NAME}.ipynb").symlink_to(tmp_path / "secret.ipynb")
    assert handed(tmp_path / "all")["ada"].problem == "there is no notebook"


def test_a_file_that_unpacks_to_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr(collect, "MOST_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"ada/{NAME}.ipynb", bytes(10**6))
    assert "clear the outputs" in handed(tmp_path / "bomb.zip")["ada"].problem


def test_what_is_neither_folder_nor_zip(tmp_path):
    (tmp_path / "x.tar").write_bytes(b"?")
    with pytest.raises(ValueError, match=r"neither a folder nor a zip file"):
        collect.found(tmp_path / "x.tar", NAME)


def test_stored_submissions_are_only_touched_where_they_differ(tmp_path):
    one = collect.Handed("ada", b"A", {"helper.py": b"1"})
    target = collect.store(one, tmp_path, NAME)
    before = {path.name: path.stat().st_mtime_ns for path in target.iterdir()}
    (target / "timestamp.txt").write_text("2026-11-21 10:00:00 UTC", encoding="utf-8")
    collect.store(one, tmp_path, NAME)
    assert {
        path.name: path.stat().st_mtime_ns for path in target.iterdir() if path.name in before
    } == before
    collect.store(collect.Handed("ada", b"B"), tmp_path, NAME)
    assert {path.name for path in target.iterdir()} == {f"{NAME}.ipynb", "timestamp.txt"}
    again = collect.already(tmp_path, NAME)
    assert [(found.student, found.notebook, found.files) for found in again] == [("ada", b"B", {})]


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
    return argparse.Namespace(**{"assignment": NAME, "submissions": None, "jobs": 3, **more})


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
    ]
    assert words[-len(end) - 2 :] == [*end, "--submissions", "/submissions"]
    elsewhere = container.words("docker", tmp_path, options())
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
    assert Path(small.ROOT / "instructor" / "grading" / "grade.py").is_file()
