"""Lesson 00 in the JupyterLab that `make lab` starts, in a browser: it runs, plays, shows its score and stays local."""

import io
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from musiclab.setup import lab

ROOT = Path(__file__).resolve().parents[2]
LESSON = "00_first_listen.ipynb"
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
QUIET = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking".split()

# The status line says "idle" before the kernel is connected, and Run All then does nothing at all:
# ask the session.
KERNEL_READY = """async () => {
    const panel = window.jupyterapp && window.jupyterapp.shell.currentWidget;
    if (!panel || !panel.sessionContext) return false;
    await panel.sessionContext.ready;
    await panel.revealed;
    const kernel = panel.sessionContext.session && panel.sessionContext.session.kernel;
    return Boolean(kernel) && kernel.connectionStatus === "connected" && kernel.status === "idle";
}"""
RUN_ALL = "async () => { await window.jupyterapp.commands.execute('notebook:run-all-cells'); }"
CODE_CELLS = """() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells
    .filter(cell => cell.cell_type === "code" && cell.source.length)"""
CHANGE_THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
ADD_AND_RUN = """async source => {
    const { commands, shell } = window.jupyterapp;
    shell.currentWidget.content.activeCellIndex = shell.currentWidget.content.widgets.length - 1;
    await commands.execute("notebook:insert-cell-below");
    shell.currentWidget.content.activeCell.model.sharedModel.setSource(source);
    await commands.execute("notebook:run-cell");
}"""
ASK_KERNEL = """async code => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    let answer = "";
    const request = kernel.requestExecute({code});
    request.onIOPub = message => { if (message.header.msg_type === "stream") answer += message.content.text; };
    await request.done;
    return answer.trim();
}"""


@pytest.fixture(scope="module")
def proxy():
    """A proxy that answers nothing and remembers who asked: JupyterLab's and the kernel's own requests end here."""
    asked = []
    server = socket.create_server(("127.0.0.1", 0))

    def listen():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                asked.append(connection.recv(200).split(b"\r\n")[0].decode("latin-1"))

    threading.Thread(target=listen, daemon=True).start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
    server.close()


@pytest.fixture(scope="module")
def lesson_url(tmp_path_factory, proxy):
    """JupyterLab as `make lab` starts it, on a copy of the lessons, so that the shipped ones keep no outputs."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    options = [
        "--no-browser",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={folder / 'notebooks'}",
        "--LabApp.expose_app_in_browser=True",
    ]
    variables = lab.environment(dict(os.environ), folder / "settings")
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        variables[name] = proxy[0]
    variables["no_proxy"] = variables["NO_PROXY"] = "127.0.0.1,localhost"
    log = folder / "lab.log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "musiclab.setup.lab", *options]
        server = subprocess.Popen(
            command, cwd=ROOT, env=variables, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/api/status?token={token}", server, log)
        yield f"http://127.0.0.1:{port}/lab/workspaces/test/tree/{LESSON}?reset&token={token}"
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def _wait_for(url, server, log, seconds=90):
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            direct.open(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.25)
    pytest.fail(
        "JupyterLab did not start:\n" + log.read_text(encoding="utf-8", errors="replace")[-3000:]
    )


@pytest.fixture(scope="module")
def lesson(lesson_url):
    """Lesson 00 after Run All: the page, its code cells and the requests the browser made."""
    requests = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=QUIET)
        page = browser.new_context(viewport={"width": 1400, "height": 1000}).new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.goto(lesson_url)
        page.locator(".jp-NotebookPanel:visible").wait_for(timeout=60_000)
        page.wait_for_function(KERNEL_READY, timeout=90_000)
        page.set_default_timeout(120_000)
        page.evaluate(RUN_ALL)  # done when the last cell is
        yield page, page.evaluate(CODE_CELLS), requests
        browser.close()


pytestmark = pytest.mark.skipif(
    CHROMIUM is None
    and not (os.environ.get("CI") and sys.platform == "linux"),  # elsewhere it is called otherwise
    reason="no Chromium on this machine: the lesson was not opened in a browser",
)


def test_there_is_a_browser():
    assert CHROMIUM, "continuous integration must have Chromium: install the package `chromium`"


def test_every_cell_ran_without_error(lesson):
    _, cells, _ = lesson
    errors = [
        f"{out['ename']}: {out['evalue']}"
        for cell in cells
        for out in cell["outputs"]
        if "ename" in out
    ]
    assert not errors
    assert len(cells) > 0
    assert all(cell["execution_count"] for cell in cells)


def test_the_kernel_is_this_environments_own(lesson):
    page, _, _ = lesson
    assert page.evaluate(ASK_KERNEL, "import sys; print(sys.prefix)") == sys.prefix


def test_the_player_plays(lesson):
    page, _, _ = lesson
    box = page.locator(".jp-NotebookPanel:visible musiclab-player").first
    box.scroll_into_view_if_needed()
    assert box.locator(".time").text_content().startswith("0:00 / ")  # known before it plays
    box.get_by_role("button", name="Play").click()
    player = box.locator("audio")
    page.wait_for_timeout(1000)
    state = player.evaluate(
        "a => ({time: a.currentTime, paused: a.paused, error: a.error && a.error.message})"
    )
    assert state["error"] is None
    assert not state["paused"]
    assert state["time"] > 0.2


@pytest.mark.parametrize("kind", ["interactive", "HTML"])
def test_the_music_goes_on_where_a_slider_puts_new_music(lesson, kind):
    page, _, _ = lesson
    shows = {
        "interactive": "slider = widgets.IntSlider(60)\n"
        "widgets.interactive(tone, {'auto_display': True}, pitch=slider)",
        "HTML": "shown = widgets.HTML(tone(60).html)\nshown",
    }
    page.evaluate(
        ADD_AND_RUN,
        "import ipywidgets as widgets\nfrom musiclab import show\n"
        f"tone = lambda pitch: show.play([pitch] * 64, title=f'{kind} {{pitch}}')\n{shows[kind]}",
    )
    before, after = (page.get_by_role("group", name=f"player: {kind} {n}") for n in (60, 62))
    before.get_by_role("button", name="Play").click(timeout=30_000)
    before.get_by_role("button", name="Pause").wait_for(timeout=5_000)
    moves = {"interactive": "slider.value = 62", "HTML": "shown.value = tone(62).html"}
    page.evaluate(ASK_KERNEL, moves[kind])
    after.get_by_role("button", name="Pause").wait_for(timeout=15_000)
    after.get_by_role("button", name="Pause").click()
    assert before.count() == 0


def test_the_score_is_visible(lesson):
    page, _, _ = lesson
    notes = page.locator(".musiclab-score svg g.note:visible")
    assert notes.count() > 20
    notes.first.scroll_into_view_if_needed()
    box = notes.first.bounding_box()
    assert box["width"] > 2
    assert box["height"] > 2


def test_a_melody_is_drawn_with_the_keyboard_alone(lesson):
    page, _, _ = lesson
    page.evaluate(
        ADD_AND_RUN,
        "from musiclab import show\n"
        "count = lambda p: f'{p.onsets.sum()} notes, {(p.voices > 0).sum()} steps'\n"
        "melody = show.roll(bars=1, ask=count)\nmelody",
    )
    roll = page.locator(".musiclab-roll:visible")
    roll.wait_for(timeout=30_000)
    roll.locator("svg").focus()
    page.keyboard.press("Space")  # a quarter at the first step
    for key in (
        ("ArrowRight",) * 4 + ("ArrowUp",) * 2 + ("Space", "Shift+ArrowRight", "Shift+ArrowRight")
    ):
        page.keyboard.press(key)
    roll.get_by_text("2 notes, 10 steps", exact=True).wait_for(
        timeout=15_000
    )  # what Python answered
    (step, pitch, length), (next_step, next_pitch, next_length) = json.loads(
        page.evaluate(ASK_KERNEL, "print(melody.notes)")
    )
    assert (step, length, next_step, next_length, next_pitch - pitch) == (0, 4, 4, 6, 2)
    page.keyboard.press("p")
    roll.get_by_role("button", name="Pause").wait_for(timeout=5_000)
    page.keyboard.press("Escape")
    roll.get_by_role("button", name="Play").wait_for(timeout=5_000)
    page.keyboard.press("Space")  # the note under the cursor again: gone
    roll.get_by_text("1 notes, 4 steps", exact=True).wait_for(timeout=15_000)


def test_a_melody_is_drawn_with_the_mouse(lesson):
    page, _, _ = lesson
    page.evaluate(
        ADD_AND_RUN,
        "other = show.roll(bars=1, title='Other', ask=lambda p: f'{p.onsets.sum()} drawn')\nother",
    )
    roll = page.get_by_role("group", name="Other")
    roll.get_by_text("0 drawn", exact=True).wait_for(timeout=30_000)
    canvas = roll.locator("svg")
    canvas.hover(
        position={"x": 40 + 4 * 22 + 5, "y": 3 * 13 + 5}
    )  # the fifth step, the fourth row from above
    box = canvas.bounding_box()
    page.mouse.down()
    page.mouse.move(box["x"] + 40 + 7 * 22 + 5, box["y"] + 3 * 13 + 5)
    page.mouse.up()
    roll.get_by_text("1 drawn", exact=True).wait_for(timeout=15_000)
    assert page.evaluate(ASK_KERNEL, "print(other.notes, other.high)") == "[[4, 74, 4]] 77"


def test_figures_and_their_card_follow_the_theme(lesson):
    page, _, _ = lesson
    page.evaluate(
        ADD_AND_RUN,
        "from musiclab import show\nshow.figure(show.piano_roll([60, 62]), alt='Two notes rise')",
    )
    card = page.locator(".musiclab-card").filter(has=page.get_by_alt_text("Two notes rise"))
    card.wait_for(timeout=30_000)
    papers = {}
    for theme in ("Dark", "Light"):  # the light one is left for those who come after
        page.evaluate(CHANGE_THEME, f"JupyterLab {theme}")
        body = page.locator(f"body[data-jp-theme-name='JupyterLab {theme}']")
        body.wait_for(state="attached", timeout=30_000)
        card.scroll_into_view_if_needed()
        with Image.open(io.BytesIO(card.screenshot())) as picture:
            papers[theme] = picture.convert("RGB").getpixel((8, 8))
    assert papers["Light"] == (255, 255, 255)
    assert all(190 <= part <= 225 for part in papers["Dark"]), papers


def test_nothing_pops_up(lesson):
    page, _, _ = lesson
    assert page.locator(".jp-Dialog").count() == 0
    assert page.locator(".jp-toast-button, .Toastify__toast").all_inner_texts() == []


def test_no_request_leaves_this_machine(lesson, proxy):
    _, _, requests = lesson
    local = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")
    assert len(requests) > 10, "the browser's requests were not seen"
    assert [url for url in requests if not url.startswith(local)] == []
    assert proxy[1] == []
