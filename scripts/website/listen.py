"""What the lessons' extras found, as HTML: the gallery, the rounds of the listening test, sliders with fixed stops."""

from __future__ import annotations

import base64
import json
from html import escape
from pathlib import Path

from scripts.website import media


def gallery(entries: list[dict], folder: Path) -> list[str]:
    """Markdown: for each model a generated piece beside a real one, and the measures of both."""
    lines = []
    for entry in entries:
        number, name, title = entry["lesson"]
        pieces = "".join(
            f'<div class="{kind}">{media.as_files(_heard(entry[kind]), folder, "../_media")}</div>'
            for kind in ("generated", "real")
        )
        lines += [
            f"## {entry['model']}",
            "",
            f"{entry['about']} From lesson [{number} {title}](../lessons/{name}.ipynb).",
            "",
        ]
        lines += [
            "```{raw} html",
            f'<div class="beside">{pieces}</div>',
            _measures(entry),
            "```",
            "",
        ]
    return lines


def featured(entries: list[dict], folder: Path, lesson: str) -> dict[str, str]:
    """The generated piece of one lesson, or of the last there is, for the front page: words and HTML."""
    chosen = next(
        (entry for entry in entries if entry["lesson"][0] == lesson),
        entries[-1] if entries else None,
    )
    if chosen is None:
        return {
            "FEATURED-WORDS": "The lessons have not been run for this copy of the website.",
            "FEATURED": "",
        }
    number, name, _ = chosen["lesson"]
    link = f"[lesson {number}](lessons/{name}.ipynb)"
    words = f"{chosen['about']} The piece is the one of {link}, made from a fixed seed."
    return {
        "FEATURED-WORDS": words,
        "FEATURED": media.as_files(_heard(chosen["generated"]), folder, "_media"),
    }


def rounds(found: list[dict], folder: Path) -> str:
    """The rounds of the listening test as JSON, their sound as files whose names give nothing away."""
    rows = []
    for one in found:
        files = {
            key: media.save(base64.b64decode(one[f"{key}_mp3"]), "mp3", folder)
            for key in ("model", "bach")
        }
        rows.append(
            {"by": one["model"], **{key: f"../_media/{name}" for key, name in files.items()}}
        )
    text = json.dumps(rows, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="rounds">{text}</script>'


def slider(found: dict, folder: Path) -> str:
    """A slider with fixed stops; without JavaScript all stops are shown, one below the other."""
    key, label, stops = found["key"], escape(found["label"]), found["stops"]
    begin = len(stops) // 2
    shown = "".join(
        f'<div class="stop" data-value="{escape(stop["value"])}">'
        f"{media.as_files(_heard(stop), folder, '../_media')}{_one_column(stop['measures'])}</div>"
        for stop in stops
    )
    return (
        f'<div class="stops" id="slider-{key}"><div class="stops-control">'
        f'<label for="range-{key}">{label}: <output for="range-{key}">{escape(stops[begin]["value"])}</output></label>'
        f'<input type="range" id="range-{key}" min="0" max="{len(stops) - 1}" step="1" value="{begin}">'
        f"</div>{shown}<p class='stops-note'>{escape(found['about'])}</p></div>"
    )


def _heard(piece):
    return piece["player"] + piece["score"]


def _measures(entry):
    heads = ["measure", "this generated piece", "this real piece"]
    heads += [f"mean of {n} {kind}" for n, kind in zip(entry["n"], ("generated", "real"))]
    columns = [
        entry["generated"]["measures"],
        entry["real"]["measures"],
        entry["of_written"],
        entry["of_real"],
    ]
    keep = [i for i in range(4) if i < 2 or entry["n"][i - 2] > 1]
    names = [name for name, _ in columns[0]]
    values = [dict(column) for column in columns]
    head = "".join(
        f'<th scope="col">{text}</th>' for text in [heads[0], *(heads[i + 1] for i in keep)]
    )
    body = "".join(
        f'<tr><th scope="row">{name}</th>'
        + "".join(f"<td>{values[i].get(name, '')}</td>" for i in keep)
        + "</tr>"
        for name in names
    )
    return _table(f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>")


def _one_column(measures):
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
        for name, value in measures
    )
    return _table(f"<tbody>{body}</tbody>")


def _table(inside):
    return f'<div class="pst-scrollable-table-container"><table class="table measures">{inside}</table></div>'
