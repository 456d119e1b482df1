"""What the checks of the exercises call: a failed check says in words what was expected, what came and why that may be.

Lesson: all exercise notebooks.
"""

import copy
import inspect
import re

import numpy as np


class NotYet(AssertionError):
    """An answer that is not right yet; its message is for the student, so a notebook shows it without a traceback."""

    def _render_traceback_(self):
        """What IPython prints for this error: the words alone."""
        return ["Not yet: " + str(self)]


def _fail(message, see):
    raise NotYet(message + (f"\nRead again: {see}." if see else ""))


def that(condition, message, see=None):
    """Demand a property.

    Args:
        condition: what must hold, one truth value.
        message: what was expected, what came, a likely cause.
        see: where to read again, such as "lesson 03, section 'The decoder'".

    Raises:
        NotYet: with `message`, if `condition` is false.

    >>> that(1 + 1 == 2, "1 + 1 is 2")
    """
    if not condition:
        _fail(message, see)


def kind(value, kinds, what, see=None):
    """Demand a type.

    Args:
        value: the student's result.
        kinds: a type or a tuple of types.
        what: what the value is called in the message.
        see: where to read again.

    Raises:
        NotYet: if `value` is none of `kinds`.

    >>> kind(3, int, "the number of keys")
    """
    if isinstance(value, kinds):
        return
    names = " or ".join(
        _article(one.__name__) for one in (kinds if isinstance(kinds, tuple) else (kinds,))
    )
    cause = " Likely cause: the function ends without `return`." if value is None else ""
    _fail(f"{what} should be {names}, but it is {_article(type(value).__name__)}.{cause}", see)


def several(value, count, what, message, see=None, kinds=(tuple, list)):
    """Demand a sequence of so many results.

    Args:
        value: the student's result.
        count: how many there must be.
        what: what the value is called where it is of another type.
        message: what was expected, with {} where the number that came stands.
        see: where to read again.
        kinds: the types that are taken.

    Raises:
        NotYet: if `value` is none of `kinds`, or has another length.

    >>> several((1, 2), 2, "the result", "two numbers should be returned, but there were {}")
    """
    kind(value, kinds, what, see)
    that(len(value) == count, message.format(len(value)), see)


def array(actual, expected, what, see=None, likely=None, rtol=1e-5, atol=1e-7):
    """Demand an array of the right shape, then of the right values.

    Args:
        actual: the student's array, or whatever came in its place; numbers of any dtype, lists and
          tensors are taken.
        expected: the right values, array of any shape.
        what: what the array is called in the message.
        see: where to read again.
        likely: {cause in words: the array this mistake gives}; the first that equals `actual` is
          named.
        rtol: relative tolerance, without unit.
        atol: absolute tolerance, in the array's unit.

    Raises:
        NotYet: if the type, the shape, or a value is wrong.

    >>> array([1.0, 2.0], np.array([1, 2]), "codes")
    """
    expected = _counted(np.asarray(expected))
    got = _as_numbers(actual, what, see)
    causes = {cause: _counted(np.asarray(wrong)) for cause, wrong in (likely or {}).items()}
    cause = next((cause for cause, wrong in causes.items() if _same(got, wrong, rtol, atol)), None)
    hint = f"\nLikely cause: {cause}." if cause else ""
    if got.shape != expected.shape:
        if not hint and got.shape == expected.shape[::-1]:
            hint = "\nLikely cause: the array is transposed."
        _fail(f"{what}: expected {_shape(expected)}, but got {_shape(got)}.{hint}", see)
    if not np.all(np.isfinite(got) | ~np.isfinite(expected)):
        _fail(
            f"{what}: {np.count_nonzero(~np.isfinite(got))} of {got.size} values are infinite or not a number.{hint}",
            see,
        )
    if _same(got, expected, rtol, atol):
        return
    if not hint and _same(got, -expected, rtol, atol):
        hint = "\nLikely cause: the sign is turned round."
    elif not hint and expected.ndim == 2 and _same(got, expected.T, rtol, atol):
        hint = "\nLikely cause: the array is transposed."
    wrong = ~np.isclose(got, expected, rtol=rtol, atol=atol, equal_nan=True)
    where = tuple(int(i) for i in np.argwhere(wrong)[0])
    place = f" at index {list(where)}" if where else ""
    count = f" ({np.count_nonzero(wrong)} of {got.size} values are wrong)" if got.size > 1 else ""
    _fail(
        f"{what}: expected {expected[where]:.6g}{place}, but got {got[where]:.6g}{count}.{hint}",
        see,
    )


def number(actual, expected, what, see=None, likely=None, rtol=1e-5, atol=1e-7):
    """Demand one number: `array` for a result without axes, which also takes a result of shape (1,).

    Args:
        actual: the student's number.
        expected: the right number.
        what: what it is called in the message.
        see: where to read again.
        likely: {cause in words: the number this mistake gives}.
        rtol: relative tolerance.
        atol: absolute tolerance, in the number's unit.

    Raises:
        NotYet: if `actual` is not one number, or not this one.

    >>> number(0.25, 1 / 4, "the mean")
    """
    got = _as_numbers(actual, what, see)
    array(got.reshape(()) if got.size == 1 else got, expected, what, see, likely, rtol, atol)


def call(function, *arguments, see=None, **keywords):
    """Call the student's function on copies of the arguments and put what goes wrong into words.

    Args:
        function: the student's function.
        arguments: handed on as deep copies, so that a function that changes its input harms no
          other check.
        see: where to read again.
        keywords: handed on as deep copies.

    Returns:
        What the function returns.

    Raises:
        NotYet: if `function` is not written yet, cannot take these arguments, fails inside, or
          changes an argument.

    >>> call(max, 3, 5)
    5
    """
    if not callable(function):
        _fail(f"a function was expected here, but it is {_article(type(function).__name__)}", see)
    name = getattr(function, "__name__", "the function")
    given, named = copy.deepcopy(arguments), copy.deepcopy(keywords)
    try:
        inspect.signature(function).bind(*given, **named)
    except TypeError as error:
        _fail(
            f"{name} does not take the arguments it is called with: {error}. Keep the first line as it was given",
            see,
        )
    except ValueError:
        pass  # a function written in C tells no signature
    try:
        result = function(*given, **named)
    except NotImplementedError:
        _fail(
            f"{name} is not written yet. Put your code in place of the line that raises NotImplementedError",
            see,
        )
    except (Exception, SystemExit) as error:
        said = f"{type(error).__name__}: {error}"
        _fail(f"{name} stopped with an error.{_in_words(error)}\nPython says: {said}", see)
    for place, (before, after) in enumerate(
        zip((*arguments, *keywords.values()), (*given, *named.values())), start=1
    ):
        if _changed(before, after):
            _fail(
                f"{name} changed its argument number {place} in place. Compute a new array instead",
                see,
            )
    return _plain(result, name, see)


SHAPES = {  # what NumPy, TensorFlow and Keras say of arrays that don't fit, and what it means
    r"matmul:.*size (\d+) is different from (\d+)": "Two arrays were multiplied with @ whose inner "
    "lengths, {1} and {0}, differ: print their shapes; a transpose, .T, may be missing.",
    r"Matrix size-incompatible|Incompatible shapes.*MatMul": "Two tensors were multiplied whose inner "
    "lengths differ: print their shapes.",
    r"could not be broadcast together with shapes (\(.*?\)) (\(.*?\))": "Arrays of shapes {0} and {1} "
    "can't be combined number by number: print both, and see which axis is missing or too long.",
    r"index (-?\d+) is out of bounds for axis (\d+) with size (\d+)": "Place {0} was asked for on an "
    "axis of length {2}; the last place is the length less 1.",
    r"truth value of an array": "An array stands where one true or false is needed, as after `if`: use "
    ".any(), .all() or np.where.",
    r"axis (\d+) is out of bounds for array of dimension (\d+)": "Axis {0} was named, but the array has "
    "{1} axes, counted from 0.",
    r"list index out of range": "A place was asked for that the list does not have.",
    r"only (integer|length-1|0-dimensional)": "An array with several numbers stands where one number is "
    "needed.",
}


def _in_words(error):
    """A sentence on what an error of a library means, or nothing."""
    for pattern, words in SHAPES.items():
        if found := re.search(pattern, str(error), re.S):
            return " " + words.format(*found.groups())
    if isinstance(error, NameError):
        return " A name is used that was given no value: is it spelt as in the line that makes it?"
    if isinstance(error, KeyError):
        return " A dictionary was asked for an entry that it does not have."
    return ""


OWN_METHODS = {
    "__array__",
    "__array_ufunc__",
    "__array_function__",
    "__array_finalize__",
    "__eq__",
    "__ne__",
    "__lt__",
    "__le__",
    "__gt__",
    "__ge__",
    "__bool__",
    "__float__",
    "__index__",
    "__instancecheck__",
}


def _plain(value, what, see):
    """A result before anything is compared with it: no object whose own methods would take part in the comparison."""
    if type(value) in (list, tuple):
        return type(value)(_plain(part, what, see) for part in value)
    if type(value) is dict:
        return {key: _plain(part, what, see) for key, part in value.items()}
    for kind in type(value).__mro__:
        if kind.__module__ == "__main__" and (own := sorted(OWN_METHODS & vars(kind).keys())):
            _fail(
                f"{what} returns an object of the class {type(value).__name__}, which defines {own[0]}. "
                "Return plain numbers, arrays, lists or text",
                see,
            )
    return value


def _changed(before, after):
    """Whether an argument, or something in it, has other values than before; other objects count as the same."""
    if isinstance(before, np.ndarray):
        return before.shape != after.shape or not np.array_equal(
            before, after, equal_nan=before.dtype.kind in "fc"
        )
    if isinstance(before, (list, tuple)):
        return len(before) != len(after) or any(map(_changed, before, after))
    if isinstance(before, dict):
        return before.keys() != after.keys() or any(
            _changed(before[key], after[key]) for key in before
        )
    return isinstance(before, (set, str, bytes, int, float)) and before != after


def _as_numbers(value, what, see):
    """An array of numbers, or words that say what came instead."""
    if value is None:
        _fail(
            f"{what} is None. Likely cause: the function ends without `return`, or the name was never given a value",
            see,
        )
    value = _plain(value, what, see)
    try:
        got = np.asarray(value)
    except Exception:
        got = np.asarray(None)
    if got.dtype.kind not in "biufc":
        _fail(
            f"{what} should be numbers in one array, but it is {_article(type(value).__name__)}",
            see,
        )
    return _counted(got)


def _counted(values):
    """Truth values as 0 and 1, so that they can be subtracted."""
    return values.astype(int) if values.dtype.kind == "b" else values


def _same(got, wanted, rtol, atol):
    return got.shape == wanted.shape and np.allclose(
        got, wanted, rtol=rtol, atol=atol, equal_nan=True
    )


def _shape(values):
    return "one number" if values.ndim == 0 else f"shape {values.shape}"


def _article(name):
    return ("an " if name[0].lower() in "aeiou" else "a ") + name
