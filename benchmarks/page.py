"""Front page and the page that harmonises, in Chromium: what they weigh, how soon it is ready, writes and sounds."""

from __future__ import annotations

import functools
import gzip
import http.server
import shutil
import threading
from pathlib import Path
from statistics import median

from benchmarks.process import beside_others
from benchmarks.record import ROOT

__all__ = ["LIMITS", "once", "rows", "visit"]

SITE = ROOT / "build" / "site"
TIMES = 5
LIMITS = {
    "front page before play, kB compressed": 600,
    "page weight, kB compressed": 1500,
    "network ready after first use, ms": 1000,
    "16 bars harmonised, ms": 1500,
    "longest task of the main thread, ms": 50,
    "click to sound, ms": 150,
}
"""What the course promises, in the units of the rows."""

_BOX = "document.querySelector('[data-toy=harmonise]')"
_COMPRESSED = (".html", ".css", ".js", ".json")  # what hosts of static pages compress
_WATCH = """window.tasks = [];
new PerformanceObserver((list) => list.getEntries().forEach((one) => tasks.push(one.duration)))
  .observe({ entryTypes: ["longtask"] });"""
_SOUND = """async () => {
  const box = document.querySelector('[data-toy=harmonise] .musiclab-player:has(svg)'), begin = performance.now();
  box.querySelector('button').click();
  const cursor = box.querySelector('.cursor');
  while (cursor.getAttribute('visibility') === 'hidden' || !(cursor.getAttribute('x') > 0)) {
    await new Promise(requestAnimationFrame);
  }
  return performance.now() - begin;
}"""


def rows() -> list[dict]:
    """Medians of five visits to the website in ``build/site``, beside what is promised.

    Raises:
      RuntimeError: if the website is not built, or there is no Chromium.
    """
    if not (SITE / "play" / "harmonise.html").is_file():
        raise RuntimeError("build/site has no page that harmonises: run `make site` first")
    note = beside_others()
    visits = [{row["what"]: row["value"] for row in once(SITE)} for _ in range(TIMES)]
    middle = {what: round(median(one[what] for one in visits)) for what in LIMITS}
    return [
        {"what": what, "value": middle[what], "at_most": limit, "note": note}
        for what, limit in LIMITS.items()
    ]


def once(site: Path) -> list[dict]:
    """One visit in a browser of its own: as :func:`visit`; RuntimeError without Chromium."""
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = next(filter(None, map(shutil.which, names)), None)
    if chromium is None:
        raise RuntimeError("no Chromium on this machine")
    handler = functools.partial(_Silent, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    switches = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=switches)
        try:
            return visit(browser, f"http://127.0.0.1:{server.server_address[1]}", site)
        finally:
            browser.close()
            server.shutdown()


def visit(browser, address: str, site: Path) -> list[dict]:
    """Each of :data:`LIMITS` measured, as rows of ``what`` and ``value``.

    Args:
      browser: of Playwright. address: where a server offers ``site``, the folder of the website.
    """
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    found = _visit(page, address, site)
    page.close()
    return [{"what": what, "value": value} for what, value in zip(LIMITS, found)]


def _visit(page, address, site):
    loaded = set()
    page.on("response", lambda response: loaded.add(response.url.split("?")[0]))
    page.goto(f"{address}/index.html", wait_until="load")
    page.wait_for_timeout(300)
    front = _weight(loaded, address, site)
    page.goto("about:blank")
    loaded.clear()
    page.add_init_script(_WATCH)
    page.goto(f"{address}/play/harmonise.html", wait_until="load")
    begin = page.evaluate("performance.now()")
    bars = page.locator("[data-toy=harmonise] select").nth(2)
    bars.focus()  # the first use, on which the weights are fetched
    bars.select_option("16")
    page.wait_for_function(f"{_BOX}.dataset.ready", polling=10)
    ready = page.evaluate("performance.now()") - begin
    page.wait_for_timeout(300)
    page.evaluate("tasks.length = 0")
    page.get_by_role("button", name="Harmonise", exact=True).click()
    page.wait_for_function(f"{_BOX}.dataset.cells")
    written = float(page.evaluate(f"{_BOX}.dataset.milliseconds"))
    longest = max(page.evaluate("tasks"), default=0)
    sound = page.evaluate(_SOUND)
    return front, _weight(loaded, address, site), ready, written, longest, sound


def _weight(urls, address, site):
    """Kilobytes of what was loaded, as a host compresses it."""
    return sum(_size(site / url.removeprefix(address).lstrip("/")) for url in urls) / 1000


def _size(file):
    if not file.is_file():
        return 0
    content = file.read_bytes()
    return len(gzip.compress(content, 6) if file.suffix in _COMPRESSED else content)


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass
