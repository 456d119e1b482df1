"""Writes to the gradebook that another writer got in the way of: again, or an error that leaves the session usable."""

from types import SimpleNamespace

import pytest
from nbgrader.api import InvalidEntry
from sqlalchemy.exc import IntegrityError, OperationalError

from instructor.grading import gradebook


class Refused(Exception):
    """What a database's client raises."""

    def __init__(self, sqlstate=None):
        super().__init__("refused")
        self.sqlstate = sqlstate


@pytest.fixture
def book(monkeypatch):
    """A gradebook whose writes raise the errors in its list `refusals`, then succeed."""
    done = SimpleNamespace(refusals=[], rollbacks=0, written=0)

    def rollback():
        done.rollbacks += 1

    def record(book, *_):
        if book.refusals:
            raise book.refusals.pop(0)
        book.written += 1

    done.db = SimpleNamespace(rollback=rollback)
    monkeypatch.setattr(gradebook, "_record", record)
    monkeypatch.setattr(gradebook, "_wait", lambda attempt: None)
    return done


@pytest.mark.parametrize(
    "error",
    [
        InvalidEntry("already there"),
        IntegrityError("insert", {}, Refused("23505")),
        OperationalError("insert", {}, Refused("40P01")),
        OperationalError("insert", {}, Refused("40001")),
    ],
    ids=["nbgrader", "unique", "deadlock", "serialization"],
)
def test_another_writer_in_the_way_is_tried_again(book, error):
    book.refusals = [error, error]
    gradebook.record(book, "ada", None, None)
    assert (book.written, book.rollbacks) == (1, 2)


@pytest.mark.parametrize("state", [None, "57P01"], ids=["SQLite", "server ends"])
def test_another_fault_is_told_at_once_and_leaves_the_session_usable(book, state):
    book.refusals = [OperationalError("insert", {}, Refused(state))]
    with pytest.raises(OperationalError):
        gradebook.record(book, "ada", None, None)
    assert (book.written, book.rollbacks) == (0, 1)
    gradebook.record(book, "bob", None, None)
    assert book.written == 1


def test_it_does_not_try_for_ever(book):
    book.refusals = [OperationalError("insert", {}, Refused("40P01")) for _ in range(99)]
    with pytest.raises(OperationalError):
        gradebook.record(book, "ada", None, None)
    assert book.rollbacks == gradebook.ATTEMPTS
