"""Music and pictures that a notebook carries in itself, as files of the website: pages stay small."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zipfile
from pathlib import Path

ENDINGS = {
    "audio/mpeg": "mp3",
    "audio/midi": "mid",
    "application/vnd.recordare.musicxml+xml": "mxl",
    "image/png": "png",
}
_URI = re.compile(rf"data:({'|'.join(map(re.escape, ENDINGS))});base64,([A-Za-z0-9+/=]+)")

_CONTAINER = (
    '<?xml version="1.0" encoding="UTF-8"?><container><rootfiles>'
    '<rootfile full-path="score.musicxml"/></rootfiles></container>'
)
_SCRIPT = re.compile(r"(</musiclab-player>)<script>.*?</script>", re.S)


def save(content: bytes, ending: str, folder: Path) -> str:
    """Write bytes under a name made of their checksum, which says nothing about what they are; the name.

    MusicXML ("mxl") is compressed as its standard says, to a tenth.
    """
    if ending == "mxl":
        content = _mxl(content)
    name = f"{hashlib.sha256(content).hexdigest()[:20]}.{ending}"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / name).is_file():
        (folder / name).write_bytes(content)
    return name


def _mxl(xml):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (("META-INF/container.xml", _CONTAINER), ("score.musicxml", xml)):
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)  # no time in it
    return packed.getvalue()


def seconds(mp3: bytes) -> float:
    """How long a sound takes."""
    import soundfile

    return soundfile.info(io.BytesIO(mp3)).duration


def as_files(html: str, folder: Path, prefix: str) -> str:
    """HTML with its ``data:`` addresses replaced by files, written to a folder that the page finds at ``prefix``.

    >>> as_files("<b>no music</b>", Path("nowhere"), "../_media")
    '<b>no music</b>'
    """
    html = _URI.sub(
        lambda m: f"{prefix}/{save(base64.b64decode(m[2]), ENDINGS[m[1]], folder)}", html
    )
    html = re.sub(r'(download="[^"]*\.)musicxml"', r'\1mxl"', html)
    html = html.replace('preload="metadata"', 'preload="none"')  # a page may have twenty players
    html = _SCRIPT.sub(r"\1", html)  # every page of the website loads the players' script once
    return re.sub(r"<img (?![^>]*loading=)", '<img loading="lazy" ', html)
