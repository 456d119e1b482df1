"""What the lessons' extras found, as HTML: the gallery, the rounds of the listening test, sliders with fixed stops."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from markupsafe import Markup

from scripts.website import fill, media


def gallery(entries: list[dict], folder: Path) -> list[str]:
    """Markdown: for each model a generated piece beside a real one, and the measures of both."""
    lines = []
    for entry in entries:
        number, name, title = entry["lesson"]
        pieces = "".join(
            f'<div class="{kind}">{media.as_files(_folded(entry[kind]), folder, "../_media")}</div>'
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
            "HEARD": "",
        }
    number, name, _ = chosen["lesson"]
    link = f"[lesson {number}](lessons/{name}.ipynb)"
    words = f"{chosen['about']} The piece is the one of {link}, made from a fixed seed."
    heard = "".join(
        f"<div><h2>{name}</h2>{media.as_files(chosen[kind]['player'], folder, '_media')}</div>"
        for name, kind in (("A network", "generated"), ("Bach", "real"))
    )
    return {
        "FEATURED-WORDS": words,
        "FEATURED": media.as_files(chosen["generated"]["score"], folder, "_media"),
        "HEARD": f'<div class="beside front-heard">{heard}</div>',
    }


def rounds(found: list[dict], folder: Path) -> str:
    """The rounds of the listening test as JSON, their sound as files whose names give nothing away."""
    rows = []
    for one in found:
        row = {"by": one["model"]}
        for key in ("model", "bach"):
            mp3 = base64.b64decode(one[f"{key}_mp3"])
            name = media.save(mp3, "mp3", folder)
            row[key] = {"file": f"../_media/{name}", "seconds": round(media.seconds(mp3), 1)}
        rows.append(row)
    text = json.dumps(rows, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="rounds">{text}</script>'


def slider(found: dict, folder: Path) -> str:
    """A slider with fixed stops; without JavaScript all stops are shown, one below the other."""
    stops = [
        {
            "value": stop["value"],
            "html": Markup(media.as_files(_heard(stop), folder, "../_media"))
            + fill("measures.html", heads=[], rows=[(name, [v]) for name, v in stop["measures"]]),
        }
        for stop in found["stops"]
    ]
    words = {name: found[name] for name in ("key", "label", "about")}
    return fill("slider.html", stops=stops, begin=len(stops) // 2, **words)


def _heard(piece):
    return piece["player"] + piece["score"]


def _folded(piece):
    """The player, and the score behind a click: a gallery of whole scores is many screens long."""
    score = f'<details class="gallery-score"><summary>Show the score</summary>{piece["score"]}</details>'
    return piece["player"] + score


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
    rows = [(name, [values[i].get(name, "") for i in keep]) for name in names]
    return fill("measures.html", heads=[heads[0], *(heads[i + 1] for i in keep)], rows=rows)
