"""Files of a class's answers: read, refused in words, merged and summarised."""

import pytest

from musiclab.metrics import listening
from musiclab.metrics.listening_answers import (
    COLUMNS,
    Answer,
    merge_answers,
    read_answers,
    summarise,
)

HEAD = ",".join(COLUMNS) + "\n"
LINE = "7c,0123abcd,1,2,Markov chain,B,A\n"


@pytest.fixture
def write(tmp_path):
    def write(text, name="a.csv", encoding="utf-8"):
        file = tmp_path / name
        file.write_bytes(text.encode(encoding))
        return file

    return write


def test_a_file_by_hand(write):
    found = read_answers(write(HEAD + LINE + '7c,0123abcd,2,3,"VAE, beta = 1",C,C\r\n\n'))
    assert found == [
        Answer("7c", "0123abcd", 1, 2, "Markov chain", "B", "A"),
        Answer("7c", "0123abcd", 2, 3, "VAE, beta = 1", "C", "C"),
    ]
    assert [one.right for one in found] == [False, True]


def test_a_byte_order_mark_is_no_fault(write):
    assert read_answers(write(HEAD + LINE, encoding="utf-8-sig")) == read_answers(
        write(HEAD + LINE, "b.csv")
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "a.csv: the file is empty"),
        (HEAD, "no answer below"),
        (HEAD.replace(",", ";") + LINE.replace(",", ";"), "semicolons; save it with commas"),
        ("name,answer\nx,A\n", "first line is 'name,answer'; it should be code,listener"),
        (HEAD + "7c,0123abcd,1,2,B,A\n", "line 2: 6 entries; 7 are needed"),
        (HEAD + LINE + LINE.replace("0123abcd", "Anna"), "line 3: listener 'Anna'"),
        (HEAD + LINE.replace(",1,", ",0,"), "round '0'; need a whole number from 1"),
        (HEAD + LINE.replace(",2,", ",4,"), "'4' choices; a round has 2 or 3"),
        (HEAD + LINE.replace("Markov chain", " "), "no model"),
        (HEAD + LINE.replace("B,A", "C,A"), "bach is 'C'; need one of A, B"),
        (HEAD + LINE.replace("B,A", "B,AB"), "answer is 'AB'"),
        (HEAD + LINE.replace("B,A", "B,"), "answer is ''"),
    ],
)
def test_what_is_wrong_is_said(write, text, words):
    with pytest.raises(ValueError, match=words):
        read_answers(write(text))


def test_no_utf8_is_said(write):
    with pytest.raises(ValueError, match="CSV UTF-8"):
        read_answers(write(HEAD + LINE.replace("Markov", "Märkov"), encoding="latin-1"))


def test_a_file_handed_in_twice_counts_once(write):
    other = LINE.replace("0123abcd", "ffff0000")
    files = [write(HEAD + LINE), write(HEAD + LINE, "copy.csv"), write(HEAD + other, "b.csv")]
    assert [one.listener for one in merge_answers(files)] == ["0123abcd", "ffff0000"]


def test_contradictions_and_other_classes_are_refused(write):
    file = write(HEAD + LINE)
    with pytest.raises(ValueError, match=r"b\.csv and a\.csv give different answers for round 1"):
        merge_answers([file, write(HEAD + LINE.replace("B,A", "B,B"), "b.csv")])
    with pytest.raises(ValueError, match="class code '8d', but '7c' is wanted"):
        merge_answers([file, write(HEAD + LINE.replace("7c", "8d"), "c.csv")])
    with pytest.raises(ValueError, match="'' is wanted"):
        merge_answers([file], code="")
    with pytest.raises(ValueError, match="at least one"):
        merge_answers([])


def answers(listener, model, letters, choices=2):
    return [
        Answer("", listener, i, choices, model, "A", letter) for i, letter in enumerate(letters, 1)
    ]


def test_a_summary_by_hand():
    some = (
        answers("a" * 8, "VAE", "AAAB")
        + answers("b" * 8, "VAE", "AB")
        + answers("a" * 8, "GRU", "B")
    )
    everything, gru, vae = summarise(some)
    assert (everything.model, everything.right, everything.answers) == ("all models", 4, 7)
    assert (gru.model, vae.model) == ("GRU", "VAE")  # the one recognised less often first
    assert (vae.right, vae.answers, vae.listeners) == (4, 6, 2)
    assert (vae.interval, vae.design_effect) == listening.clustered_interval([3, 1], [4, 2])
    assert gru.interval == listening.wilson_interval(0, 1)
    assert vae.p_value == listening.binomial_p_value(4, 6)


def test_three_way_answers_have_their_own_chance_line():
    some = answers("a" * 8, "VAE", "AB") + answers("b" * 8, "VAE", "AAC", choices=3)
    assert [(row.model, row.choices) for row in summarise(some)] == [
        ("all models", 2),
        ("VAE", 2),
        ("all models", 3),
        ("VAE", 3),
    ]
    assert summarise(some)[3].p_value == listening.binomial_p_value(2, 3, 1 / 3)


def test_nothing_to_summarise():
    with pytest.raises(ValueError, match="no answer"):
        summarise([])
