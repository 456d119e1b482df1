"""The command that merges a class's answers."""

import pytest

from instructor.listening_answers import MERGED, main
from musiclab.metrics.listening_answers import COLUMNS, read_answers

HEAD = ",".join(COLUMNS) + "\n"


@pytest.fixture
def folder(tmp_path):
    for name in ("aaaaaaaa", "bbbbbbbb"):
        lines = [f"7c,{name},{i},2,Markov chain,A,{'AB'[i % 2]}\n" for i in range(1, 13)]
        (tmp_path / f"{name}.csv").write_text(HEAD + "".join(lines), encoding="utf-8")
    return tmp_path


def test_a_class_is_merged_and_summarised(folder, capsys):
    assert main([str(folder), "--code", "7c"]) == 0
    assert len(read_answers(folder / MERGED)) == 24
    said = capsys.readouterr().out
    assert "12 of 24" in said
    assert "Markov chain" in said
    assert main([str(folder)]) == 0  # what was merged is not merged again
    assert len(read_answers(folder / MERGED)) == 24


def test_a_bad_file_is_named_and_nothing_is_written(folder, capsys):
    (folder / "c.csv").write_text(HEAD + "7c,cccccccc,1,2,VAE,A,Z\n", encoding="utf-8")
    assert main([str(folder)]) == 1
    assert "c.csv, line 2: answer is 'Z'" in capsys.readouterr().err
    assert not (folder / MERGED).exists()


def test_an_empty_folder_is_said(tmp_path, capsys):
    assert main([str(tmp_path)]) == 1
    assert "no file of answers" in capsys.readouterr().err
