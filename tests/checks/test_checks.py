"""The words in which an exercise answers."""

import numpy as np
import pytest

from musiclab import checks

EXPECTED = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def words(function, *arguments, **keywords):
    """What the check says."""
    with pytest.raises(checks.NotYet) as caught:
        function(*arguments, **keywords)
    return str(caught.value)


@pytest.mark.parametrize(
    "right", [EXPECTED, EXPECTED.tolist(), EXPECTED.astype(np.float32), EXPECTED.astype(int)]
)
def test_array_takes_the_right_values_in_any_dtype(right):
    checks.array(right, EXPECTED, "codes")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (None, "without `return`"),
        ("text", "numbers in one array"),
        ([[1, 2], [3]], "numbers in one array"),
        (EXPECTED.T, r"expected shape (2, 3), but got shape (3, 2)"),
        (EXPECTED.T, "transposed"),
        (-EXPECTED, "sign"),
        (EXPECTED * np.nan, "6 of 6 values are infinite or not a number"),
        (
            np.where(EXPECTED == 5, 6, EXPECTED),
            "expected 5 at index [1, 1], but got 6 (1 of 6 values are wrong)",
        ),
        (EXPECTED.sum(), "expected shape (2, 3), but got one number"),
    ],
)
def test_array_says_what_is_wrong(wrong, said):
    assert said in words(checks.array, wrong, EXPECTED, "codes")


def test_array_names_the_likely_cause_and_where_to_read():
    likely = {"summed instead of averaged": EXPECTED * 6}
    said = words(checks.array, EXPECTED * 6, EXPECTED, "codes", see="lesson 03", likely=likely)
    assert "Likely cause: summed instead of averaged." in said
    assert said.endswith("Read again: lesson 03.")


def test_array_compares_truth_values():
    checks.array([True, False], np.array([True, False]), "keys")
    assert "expected 1 at index [0], but got 0" in words(
        checks.array, [False, False], [True, False], "keys"
    )


def test_a_square_array_may_be_transposed_too():
    assert "transposed" in words(checks.array, [[1, 3], [2, 4]], [[1, 2], [3, 4]], "weights")


def test_number():
    checks.number(np.array([0.5]), 0.5, "loss")
    assert "expected 0.5, but got 0.25" in words(checks.number, 0.25, 0.5, "loss")
    assert "expected one number, but got shape (2,)" in words(checks.number, [1, 2], 0.5, "loss")


def test_kind():
    checks.kind(3, (int, float), "the count")
    assert "should be an int or a float, but it is a str" in words(
        checks.kind, "3", (int, float), "the count"
    )
    assert "without `return`" in words(checks.kind, None, int, "the count")


def test_that():
    checks.that(True, "never said")
    assert (
        words(checks.that, False, "too many keys", see="lesson 01")
        == "too many keys\nRead again: lesson 01."
    )


def test_call_keeps_the_arguments():
    values = np.array([3.0, 1.0])
    assert checks.call(lambda x: x * 2, values).tolist() == [6, 2]

    def sorts(x):
        x.sort()
        return x

    assert "changed its argument number 1 in place" in words(checks.call, sorts, values)
    assert "changed its argument number 1 in place" in words(checks.call, sorts, x=values)
    assert values.tolist() == [3, 1]


def test_call_notices_changes_inside_containers():
    def empties(pieces):
        pieces["bass"][0][:] = 0

    assert "in place" in words(checks.call, empties, {"bass": [np.ones(2)]})


def test_call_says_what_goes_wrong():
    def unwritten():
        raise NotImplementedError("this exercise is not solved yet")

    assert "unwritten is not written yet" in words(checks.call, unwritten)
    assert "stopped with an error.\nPython says: ZeroDivisionError" in words(
        checks.call, lambda x: 1 / x, 0
    )
    assert "does not take the arguments" in words(checks.call, lambda x: x, 1, 2)
    assert "a function was expected" in words(checks.call, 3)


def test_call_lets_the_students_own_type_errors_be_told_from_wrong_arguments():
    assert "stopped with an error.\nPython says: TypeError" in words(
        checks.call, lambda x: x + "1", 2
    )


def test_a_notebook_shows_the_words_without_a_traceback():
    assert checks.NotYet("shorter by one frame")._render_traceback_() == [
        "Not yet: shorter by one frame"
    ]


def tensors(x):
    import tensorflow as tf

    return tf.matmul(tf.ones((2, 3)), tf.ones((4, 5)))


RAW = {
    "matmul": (lambda x: np.ones((2, 3)) @ np.ones((4, 2)), "inner lengths, 3 and 4, differ"),
    "tensors": (tensors, "inner lengths differ"),
    "shapes": (lambda x: np.ones(3) + np.ones(4), "shapes (3,) and (4,) can't be combined"),
    "index": (lambda x: np.ones(3)[3], "Place 3 was asked for on an axis of length 3"),
    "truth": (lambda x: 1 if np.ones(2) > 0 else 0, "one true or false is needed"),
    "axis": (lambda x: np.ones(2).sum(axis=1), "Axis 1 was named, but the array has 1 axes"),
    "list": (lambda x: [1][2], "that the list does not have"),
    "scalar": (lambda x: float(np.ones(2)), "where one number is needed"),
    "name": (lambda x: weihgts, "a name is used that was given no value"),  # noqa: F821
    "key": (lambda x: {}["W"], "an entry that it does not have"),
}


@pytest.mark.parametrize(("answer", "sentence"), RAW.values(), ids=RAW.keys())
def test_an_error_of_a_library_comes_after_a_sentence(answer, sentence):
    said = words(checks.call, answer, 1)
    assert sentence.lower() in said.lower()
    assert said.lower().index(sentence.lower()) < said.index("Python says")


def test_several_results_are_counted_after_their_type():
    checks.several([1, 2], 2, "the pair", "two should come, but there were {}")
    said = words(checks.several, (1,), 2, "the pair", "two should come, but there were {}", "here")
    assert "two should come, but there were 1" in said
    assert "here" in said
    assert "the pair should be" in words(checks.several, 3, 2, "the pair", "there were {}")
