"""The table of every model: its entries, its committed rows, and what stands where a figure is undefined."""

import json

import pytest

from benchmarks import every_model
from benchmarks.record import RESULTS
from musiclab.data import path

STORED = json.loads((RESULTS / "every_model.json").read_text(encoding="utf-8"))
ROWS = {row["what"]: row for row in STORED["rows"]}
FIGURES = (*every_model.MEASURES, "copied_run", "longest_run", "diversity", "rows_differ")


@pytest.mark.parametrize("model", every_model.MODELS, ids=lambda model: model.name)
def test_an_entry_names_what_there_is(model):
    endings = {"16_inpainting": "safetensors"}  # a page reads it, too
    for name in model.weights:
        assert path(f"weights/{name}.{endings.get(name, 'keras')}").is_file()
    assert model.by in ("benchmark", "melody")
    assert (model.nats is None) == (model.exactness == "") == (model.unit[0] == "")
    assert f"Bach, {model.kind}" in ROWS


@pytest.mark.parametrize("name", ROWS)
def test_a_row_has_a_figure_or_a_reason(name):
    row = ROWS[name]
    for figure in FIGURES:
        assert (row[figure] is None) == (figure in row["reasons"]), figure
    if not name.startswith("Bach"):
        for figure in ("clean_nats", "all_nats", "cpu_s_training"):
            assert (row[figure] is None) == (figure in row["reasons"]), figure
        assert row["parameters"] > 0
        assert row["cpu_s_16_bars"] >= 0


def test_every_model_has_its_row():
    assert {model.name for model in every_model.MODELS} <= set(ROWS)
    assert STORED["seed"] == [0, 1, 2]


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.get("clean_nats")])
def test_units_are_converted(name):
    row = ROWS[name]
    assert row["clean_nats"] == pytest.approx(
        row["nats_per_unit"] * row["units_per_quarter"], rel=2e-3
    )


def test_training_times_add_up():
    for model in every_model.MODELS:
        if model.weights:
            wanted = sum(STORED["training"][name] for name in model.weights)
            assert ROWS[model.name]["cpu_s_training"] == pytest.approx(wanted, abs=0.06)


def test_a_row_measured_again_is_the_committed_one():
    again = every_model.row(every_model.MODELS[0])
    for figure in ("clean_nats", "parameters", "on_beat", "copied_run", "rows_differ"):
        assert again[figure] == pytest.approx(ROWS["Markov chain"][figure], abs=1e-3), figure


def test_others_stay_when_one_row_is_measured(tmp_path):
    every_model.put(tmp_path, [ROWS["dense GAN"] | {"reasons": {}}, ROWS["Markov chain"]])
    every_model.put(tmp_path, [ROWS["Markov chain"] | {"on_beat": 0.5}], {"10_dense": 90.0})
    result = json.loads((tmp_path / "every_model.json").read_text(encoding="utf-8"))
    stored = {row["what"]: row for row in result["rows"]}
    assert list(stored) == ["Markov chain", "dense GAN"]
    assert stored["Markov chain"]["on_beat"] == 0.5
    assert stored["dense GAN"]["cpu_s_training"] == 90.0
    assert result["training"] == {"10_dense": 90.0}
    assert list(result["trained_on"]) == ["10_dense"]


def test_forms_are_clean():
    assert len(every_model.form_pieces()) < len(every_model.form_pieces(clean=False))
    assert {piece.split_melody for piece in every_model.form_pieces()} == {"test"}


def test_an_unknown_row_is_refused(capsys):
    with pytest.raises(SystemExit):
        every_model.main(["--only", "perceptron"])
    assert "invalid choice" in capsys.readouterr().err
