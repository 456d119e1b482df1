"""The website under test: the whole one, where MUSICLAB_SITE says, else a small one made for the occasion."""

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
QUIET = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking".split()
QUIET += (
    "--disable-component-update --disable-sync --autoplay-policy=no-user-gesture-required".split()
)
WHOLE = os.environ.get("MUSICLAB_SITE", "")
EXECUTED = ("00", "01")  # the lessons that are run for the small website


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the website."""
    if WHOLE:
        return ROOT / WHOLE
    folder = tmp_path_factory.mktemp("website") / "site"
    words = [
        sys.executable,
        str(ROOT / "scripts" / "build_site.py"),
        "--lessons",
        *EXECUTED,
        "--output",
        str(folder),
    ]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    return folder


@pytest.fixture(scope="session")
def address(site):
    """Where a server of its own offers the website."""
    handler = functools.partial(_Silent, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium, or a skip; on continuous integration under Linux it must be there."""
    if CHROMIUM is None and not (os.environ.get("CI") and sys.platform == "linux"):
        pytest.skip("no Chromium on this machine: the website was not opened in a browser")
    assert CHROMIUM, "continuous integration must have Chromium: install the package `chromium`"
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=QUIET)
        yield started
        started.close()


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass
