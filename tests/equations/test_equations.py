"""Each numbered equation is where it must be, and each stored way to get it wrong is noticed.

`pytest tests/equations -k 03_autoencoder` asks about one lesson, by the name of its notebook.
"""

import os

import pytest

from scripts import equations
from scripts.reset_lesson import lessons
from tests.equations import mutations

REGISTRY = equations.collect(mutations.ROOT)
STORED = mutations.load()
# all of them in continuous integration; elsewhere those whose code or test has changed
TRIED = STORED if os.environ.get("CI") else mutations.changed(STORED)


def _name(mutation):
    number = f"{int(mutation.equation.split('.')[0]):02}"
    own = REGISTRY.text.get(mutation.equation, [])  # two notebooks share the numbers of lesson 16
    files = [*own, *(file.name for file in lessons(mutations.ROOT / "notebooks"))]
    lesson = next((name[:-6] for name in files if name[:2] == number), number)
    return f"{lesson}-{mutation.equation}-{mutation.replace[:30]}"


def test_every_equation_is_where_it_must_be():
    found = equations.problems(REGISTRY)
    assert not found, "\n".join(found)


def test_every_equation_has_a_mutation():
    lacking = sorted(set(REGISTRY.docstring) - {mutation.equation for mutation in STORED})
    assert not lacking, f"no mutation in tests/mutations.toml for {', '.join(lacking)}"


@pytest.mark.parametrize("mutation", STORED, ids=_name)
def test_mutation_is_of_its_equation(mutation):
    assert mutation.file in REGISTRY.docstring.get(mutation.equation, []), (
        "its file does not name the equation"
    )
    test = mutation.test.split("[")[0]
    assert test in REGISTRY.test.get(mutation.equation, []), (
        f"{test} does not say Eq. ({mutation.equation})"
    )


@pytest.fixture(scope="module")
def outcomes(request):
    """All mutations that were asked for, tried in one process."""
    asked = [
        item.callspec.params["mutation"]
        for item in request.session.items
        if item.nodeid.startswith(request.node.nodeid)
        and "outcomes" in getattr(item, "fixturenames", ())
    ]
    return dict(zip(asked, mutations.run(asked)))


@pytest.mark.slow
@pytest.mark.parametrize("mutation", TRIED, ids=_name)
def test_mutation_is_noticed(mutation, outcomes):
    outcome = outcomes[mutation]
    assert outcome.verdict == "noticed", f"{mutation.test}: {outcome.verdict}: {outcome.why}"
