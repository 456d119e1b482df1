"""Make the pictures of README.md: two of lesson 08's chorale, and photographs of JupyterLab and of the website.

`python scripts/readme_pictures.py` writes them to site/pictures/; it needs Chromium, and the website
in build/site (`make site`).
"""

from __future__ import annotations

import io
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from PIL import Image

from musiclab import show, training

# isort: split
from musiclab.data import excerpt, load_chorales, to_common_key
from musiclab.models.recurrent.four_voices import FourVoices
from musiclab.setup import lab

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "site" / "pictures"
PAGES = ROOT / "build" / "site"
KERNEL_READY = """async () => {
    const { sessionContext } = window.jupyterapp?.shell.currentWidget ?? {};
    await sessionContext?.ready;
    return sessionContext?.session?.kernel?.connectionStatus === "connected";
}"""
WINDOW = {"width": 1100, "height": 760}
SIZES = {"units": 90, "hidden": 90, "low": 31, "high": 86, "dropout": 0.3}  # as in lesson 08
SEED, TAU, PIECES = 8, 0.85, 16  # likewise
STEPS, BARS = 128, 6  # shown: eight bars as a roll, six as a score


def main():
    """Write all pictures."""
    chorales()
    photographs()


def photographs():
    """Write lab.png, harmonise.png and lessons.png, and the website's picture for links, preview.png.

    Raises:
      RuntimeError: if the website is not built, or there is no Chromium.
    """
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = next(filter(None, map(shutil.which, names)), None)
    if chromium is None or not (PAGES / "index.html").is_file():
        raise RuntimeError("photographs need Chromium, and the website: run `make site` first")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport=WINDOW)
        command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "-d", str(PAGES)]
        with served([*command, "{port}"], "http://127.0.0.1:{port}/") as address:
            page.goto(f"{address}play/harmonise.html")
            page.get_by_role("button", name="Harmonise", exact=True).click()
            answer = page.get_by_role("heading", name="Four voices")
            answer.wait_for(timeout=60_000)
            page.set_viewport_size({"width": 900, "height": 1150})
            top = page.locator(".musiclab-roll").evaluate("e => e.getBoundingClientRect().top")
            page.evaluate("top => window.scrollBy(0, top - 90)", top)
            save(page, "harmonise.png")
            page.set_viewport_size(WINDOW)
            page.goto(f"{address}lessons/index.html")
            save(page, "lessons.png")
            page.set_viewport_size({"width": 1200, "height": 630})  # what link previews show
            page.goto(address)
            save(page, "../_static/preview.png")
            page.set_viewport_size(WINDOW)
        shutil.copytree(ROOT / "notebooks", Path(folder) / "notebooks")
        token = secrets.token_hex(16)
        options = ["--no-browser", "--ServerApp.port={port}", f"--IdentityProvider.token={token}"]
        options += [
            f"--ServerApp.root_dir={folder}/notebooks",
            "--LabApp.expose_app_in_browser=True",
        ]
        command = [sys.executable, "-m", "musiclab.setup.lab", *options]
        begin = f"http://127.0.0.1:{{port}}/lab/tree/00_first_listen.ipynb?token={token}"
        with served(command, begin, lab.environment(dict(os.environ), Path(folder))) as address:
            page.goto(address)
            page.locator(".jp-NotebookPanel:visible").wait_for(timeout=60_000)
            page.wait_for_function(KERNEL_READY, timeout=90_000)
            page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
            player = page.locator(".jp-NotebookPanel:visible musiclab-player button").first
            player.wait_for(state="attached", timeout=120_000)
            player.scroll_into_view_if_needed()
            page.wait_for_timeout(3000)
            save(page, "lab.png")
        browser.close()


class served:
    """A server for as long as a block lasts, on a free port; gives its address."""

    def __init__(self, command, address, environment=None):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.command = [word.replace("{port}", str(self.port)) for word in command]
        self.address = address.replace("{port}", str(self.port))
        self.environment = environment

    def __enter__(self):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.server = subprocess.Popen(self.command, cwd=ROOT, env=self.environment, **quiet)
        for _ in range(480):
            try:
                urllib.request.urlopen(self.address, timeout=2).close()
                return self.address
            except (urllib.error.URLError, TimeoutError):
                time.sleep(0.25)
        self.__exit__()
        raise RuntimeError(f"no answer from {self.address}")

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait(20)


def save(page, name):
    """Photograph the window, in 256 colours."""
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        few.save(PICTURES / name, optimize=True)


def chorales():
    """Write chorale_roll.png and chorale_score.svg."""
    known = {chorale.melody for chorale in load_chorales("train")}
    clean = [to_common_key(c) for c in load_chorales("test") if c.melody not in known][:PIECES]
    model = training.load_model("weights/08_voices.keras", like=FourVoices(**SIZES))
    chorale = model.sample(clean, SEED, temperature=TAU)[0]
    PICTURES.mkdir(parents=True, exist_ok=True)
    left, _ = show.compare(
        *(excerpt(piece, 0, STEPS) for piece in (clean[0], chorale)),
        titles=("Bach", "Lesson 08's network, on the same form"),
    )
    left.figure.set_size_inches(10, 3.6)
    left.figure.savefig(PICTURES / "chorale_roll.png", dpi=110, metadata={"Software": None})
    (PICTURES / "chorale_score.svg").write_text(
        alone(show.score(chorale, max_bars=BARS).html), encoding="utf-8"
    )


def alone(html):
    """The wide drawing of an engraved score as a file of its own, black on white."""
    svg = re.search(r"musiclab-wide.*?(<svg.*?</svg>)</div>", html, re.DOTALL)[1]
    if "xmlns=" not in svg[:400]:
        svg = svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    return svg.replace('style="', 'style="color:#111;background:#fff;', 1) + "\n"


if __name__ == "__main__":
    main()
