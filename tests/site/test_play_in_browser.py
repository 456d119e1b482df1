"""What the pages compute is what Python computes; what can be played with works by keyboard and sends nothing."""

import base64
import functools
import http.server
import threading

import numpy as np
import pytest

from musiclab.data.files.float16 import write_float16
from musiclab.show import web
from scripts.website import play


@pytest.fixture(scope="module")
def page(browser):
    """An empty page beside the shared JavaScript."""
    handler = functools.partial(_Silent, directory=str(web.FOLDER))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    one = browser.new_page()
    one.goto(f"http://127.0.0.1:{server.server_address[1]}/random.js")
    yield one
    one.close()
    server.shutdown()


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


READ = """const bytes = Uint8Array.from(atob(given.weights), (c) => c.charCodeAt(0));
  const weights = (await import("/safetensors.js")).read(bytes.buffer);"""


def run(page, body, **given):
    """The value of JavaScript that may use `given`, and `weights` where they are given."""
    if "weights" in given:
        given["weights"] = base64.b64encode(given["weights"]).decode("ascii")
        body = READ + body
    return page.evaluate(f"async (given) => {{ {body} }}", given)


def as_file(folder, arrays, metadata):
    """A weights file's bytes."""
    write_float16(folder / "a.safetensors", arrays, metadata)
    return (folder / "a.safetensors").read_bytes()


def halved(model):
    """The model with its weights rounded to float16, as the file has them."""
    for weight in model.weights:
        if np.issubdtype(np.asarray(weight).dtype, np.floating):
            weight.assign(np.asarray(weight, np.float16).astype(np.float32))
    return model


def test_every_half_is_read_as_numpy_reads_it(page):
    bits = np.arange(2**16, dtype=np.uint16)
    wanted = bits.view(np.float16).astype(np.float64)
    found = run(
        page,
        """const { half } = await import("/safetensors.js");
        return Array.from({ length: 65536 }, (_, i) => half(i)).map((x) => (isFinite(x) ? x : String(x)));""",
    )
    np.testing.assert_array_equal(np.array(found, float), wanted)


def test_threefry_gives_the_published_words(page):
    found = run(
        page,
        """const { threefry } = await import("/random.js");
        const all = 0xffffffff;
        return [threefry(0, 0, 0, 0), threefry(all, all, all, all),
          threefry(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3)];""",
    )
    wanted = [[0x6B200159, 0x99BA4EFE], [0x1CB996FC, 0xBB002BE7], [0xC4923A9C, 0x483DF7A0]]
    assert found == wanted


@pytest.mark.parametrize("simd", [True, False])
def test_products_are_numpys(page, simd):
    rng = np.random.default_rng(0)
    for rows, inner, columns in ((1, 3, 5), (7, 12, 8), (64, 264, 176), (5, 88, 123)):
        a, b = rng.normal(size=(rows, inner)), rng.normal(size=(inner, columns))
        found = run(
            page,
            """const { products } = await import("/matmul.js");
            const make = await products(64, 264, { simd: given.simd });
            const out = new Float32Array(given.rows * given.columns);
            const put = make.put(Float32Array.from(given.b), given.inner, given.columns);
            make.multiply(Float32Array.from(given.a), given.rows, put, out);
            return [make.name, [...out]];""",
            simd=simd,
            rows=rows,
            inner=inner,
            columns=columns,
            a=a.ravel().tolist(),
            b=b.ravel().tolist(),
        )
        assert found[0] == ("WebAssembly" if simd else "plain JavaScript")
        np.testing.assert_allclose(np.reshape(found[1], (rows, columns)), a @ b, atol=2e-4)


def test_the_melody_network_is_pythons(page, tmp_path):
    from musiclab import training  # noqa: F401  (first: it keeps TensorFlow quiet)

    # isort: split
    import keras

    from musiclab.models.recurrent import melody_model  # noqa: F401

    model = halved(keras.models.load_model(play.WEIGHTS / "07_three_layers.keras", compile=False))
    melody = [model.notes[i] for i in (60, 70, 80, 75, 60, 50, 40, 60)]
    wanted = model.log_likelihood([melody])[0]
    found = run(
        page,
        """const { MelodyNetwork } = await import("/melody.js");
        const net = new MelodyNetwork(weights), state = net.initialState(), found = [];
        let logP = net.step(state, net.symbols);
        for (const note of [...given.melody, null]) {
          const symbol = note ? net.indexOf(note) : net.end;
          found.push(logP[symbol]);
          logP = net.step(state, symbol);
        }
        const again = () => net.continueMelody(given.melody, { seed: 3 });
        return [found, again(), again()];""",
        weights=as_file(tmp_path, *play.melody_arrays()),
        melody=[list(note) for note in melody],
    )
    np.testing.assert_allclose(found[0], wanted, atol=1e-4)
    assert found[1] == found[2]
    assert {tuple(note) for note in found[1]} <= set(model.notes)


def test_the_decoder_is_pythons(page, tmp_path):
    from musiclab import training  # noqa: F401

    # isort: split
    import keras

    from musiclab.data.encodings.two_bars import to_pieces
    from musiclab.models.autoencoders import vae  # noqa: F401
    from musiclab.show.html import notes

    model = halved(keras.models.load_model(play.WEIGHTS / "05_beta_0.3.keras", compile=False))
    code = np.random.default_rng(0).normal(size=(1, model.sizes["latent"])).astype(np.float32)
    found = run(
        page,
        """const { decode, logits } = await import("/decoder.js");
        return [[...logits(weights, given.code)], decode(weights, given.code)];""",
        weights=as_file(tmp_path, *play.decoder_arrays()),
        code=code[0].tolist(),
    )
    np.testing.assert_allclose(found[0], model.decoder(code).numpy().ravel(), atol=1e-4)
    piece = to_pieces(model.decode(code))[0]
    wanted = [[[a, p, b - a] for a, b, p, v in notes(piece) if v == voice] for voice in range(4)]
    assert found[1] == wanted


def test_the_penalty_has_its_gradient(page):
    found = run(
        page,
        """const { RingGAN } = await import("/ring_gan.js");
        const D = new RingGAN({ seed: 3 }).discriminator, x = Float32Array.of(0.3, -0.8);
        const squared = () => { D.forward(x); return D.backward([1], false).reduce((s, g) => s + g * g, 0); };
        D.forward(x);
        D.penalise(1); // half the weight of |g|^2
        return D.layers.flatMap(({ w, dw }) => [5, 17, 60].map((i) => {
          const old = w[i];
          w[i] = old + 1e-3; const up = squared();
          w[i] = old - 1e-3; const down = squared();
          w[i] = old;
          return [dw[i], (up - down) / 4e-3];
        }));""",
    )
    analytic, numeric = np.array(found).T
    assert np.abs(analytic).max() > 1e-3
    np.testing.assert_allclose(analytic, numeric, atol=2e-3)


def test_the_ring_is_found(page):
    covered = run(
        page,
        """const { RingGAN } = await import("/ring_gan.js");
        const gan = new RingGAN({ seed: 1 });
        for (let i = 0; i < 1000; i++) gan.train();
        return RingGAN.modesCovered(Array.from({ length: 400 }, () => [...gan.fake()]));""",
    )
    assert covered >= 6


def test_form_is_pythons(page):
    from musiclab.data import load_chorales
    from musiclab.data.encodings import cells

    checked = 0
    for piece in load_chorales("test")[:40]:
        bar = {"4/4": 16, "3/4": 12}.get(piece.time_signature)
        wanted = np.arange(piece.pickup, piece.steps, bar or 16)
        if bar is None or piece.pickup % 2 or piece.steps % 2:
            continue
        if not np.array_equal(np.flatnonzero(piece.downbeats), wanted):
            continue
        fermatas = sorted({int(step) // 2 for step in np.flatnonzero(piece.fermatas)})
        found = run(
            page,
            'return [...(await import("/inpainting.js")).encodeForm(given.steps, given.form)];',
            steps=piece.steps // 2,
            form={"bar": bar // 2, "pickup": piece.pickup // 2, "fermatas": fermatas},
        )
        np.testing.assert_array_equal(np.reshape(found, (-1, 6)), cells.encode_form(piece))
        checked += 1
    assert checked > 10


@pytest.fixture(scope="module")
def network():
    """The inpainting network as shipped, and its file."""
    from musiclab.models.attention.inpainting import Inpainting

    return Inpainting.from_file(), play.INPAINTING.read_bytes()


def test_logits_are_within_a_ten_thousandth_of_pythons(page, network):
    model, weights = network
    rng = np.random.default_rng(1)
    cells = rng.integers(0, 123, size=(40, 4)).astype(np.int32)
    hidden = rng.random((40, 4)) < 0.5
    form = rng.integers(0, (2, 12, 2, 2, 10, 11), size=(40, 6)).astype(np.int32)
    mood = rng.integers(0, (5, 4, 3), size=(40, 3)).astype(np.int32)
    wanted = model.logits(cells[None], ~hidden[None], form[None], mood[None], 3.0).numpy()[0]
    found = run(
        page,
        """const { Inpainting } = await import("/inpainting.js");
        const net = await Inpainting.create(weights);
        const found = net.logits(given.cells, given.hidden, given.form, given.mood, 3);
        return found.map(({ steps, logits }) => [steps, [...logits]]);""",
        weights=weights,
        cells=cells.ravel().tolist(),
        hidden=hidden.astype(int).ravel().tolist(),
        form=form.ravel().tolist(),
        mood=mood.ravel().tolist(),
    )
    for voice, (steps, logits) in enumerate(found):
        assert steps == np.flatnonzero(hidden[:, voice]).tolist()
        np.testing.assert_allclose(np.reshape(logits, (-1, 123)), wanted[steps, voice], atol=1e-4)


def test_the_same_notes_as_python_for_twenty_seeds(page, network):
    from musiclab.data import excerpt, load_chorales, top_voice
    from musiclab.data.encodings.cells import encode_cells, encode_form
    from musiclab.data.encodings.eighth_grid import to_no_signature
    from musiclab.show.html import notes

    model, weights = network
    melody = to_no_signature(excerpt(top_voice(load_chorales("test")[0]), 0, 64))
    form = encode_form(melody)
    cells = np.zeros((len(form), 4), int)
    cells[:, :1] = encode_cells(melody)
    for seed in range(20):  # every other one without parallels
        settings = {"strictness": 1, "temperature": 1}
        wanted = model.sample(
            melody, seed=seed, sweeps=20, forbid_parallels=seed % 2 == 1, **settings
        )
        found = run(
            page,
            """const { Inpainting } = await import("/inpainting.js");
            const { toNotes } = await import("/inpainting.js");
            const net = await Inpainting.create(weights);
            let last;
            for (last of net.sweeps({ ...given, free: given.cells.map((_, i) => (i % 4 ? 1 : 0)), sweeps: 20 }));
            return toNotes(last.cells);""",
            weights=weights,
            cells=cells.ravel().tolist(),
            form=form.ravel().tolist(),
            mood=[0] * (3 * len(form)),
            seed=seed,
            forbidParallels=seed % 2 == 1,
            **settings,
        )
        rows = [[] for _ in range(4)]
        for start, stop, pitch, voice in notes(wanted):
            rows[voice].append([start // 2, pitch, (stop - start) // 2])
        assert found == rows, f"seed {seed}"


@pytest.fixture
def visit(browser, address):
    """Opens pages of the website; at the end no error was seen and no request has left the machine."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    one, errors, requests = context.new_page(), [], []
    one.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    one.on("pageerror", lambda error: errors.append(str(error)))
    one.on("request", lambda request: requests.append(request.url))
    one.add_init_script(
        "window.tasks = []; new PerformanceObserver((list) => list.getEntries().forEach((one) => "
        "tasks.push(one.duration))).observe({ entryTypes: ['longtask'] });"
    )

    def go(name):
        one.goto(f"{address}/{name}", wait_until="load")
        return one

    yield go
    assert errors == []
    assert [url for url in requests if not url.startswith((address, "data:", "blob:"))] == []
    context.close()


def test_a_melody_is_continued_by_keyboard(visit):
    page = visit("play/index.html")
    box = page.locator("[data-toy=continue]")
    box.locator(".musiclab-roll svg").focus()
    before = box.locator(".musiclab-note").count()
    for key in ("ArrowDown", "Space"):
        page.keyboard.press(key)
    assert box.locator(".musiclab-note").count() == before  # it replaces the note that stood there
    button = box.get_by_role("button", name="Continue my melody")
    button.focus()
    page.keyboard.press("Enter")
    box.get_by_text("more, in orange").wait_for(timeout=10_000)
    time = box.locator(".musiclab-player:has(svg) .time").inner_text()
    assert time.startswith("0:00 / 0:")  # the duration is known before it plays
    box.locator(".musiclab-player:has(svg) button").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        "document.querySelector('[data-toy=continue] .cursor').getAttribute('x') > 1"
    )
    assert box.locator(".musiclab-player:has(svg) button").inner_text() == "Pause"
    page.keyboard.press("Enter")
    assert box.locator(".musiclab-player:has(svg) button").inner_text() == "Play"


def test_the_walk_goes_on_playing(visit):
    page = visit("play/index.html")
    box = page.locator("[data-toy=walk]")
    box.get_by_role("button").focus()
    page.keyboard.press("Enter")
    box.locator(".note").first.wait_for(state="attached", timeout=10_000)
    first = box.get_attribute("data-music")
    box.locator(".musiclab-player:has(svg) button").focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(400)
    box.get_by_label("From the first to the second").focus()
    page.keyboard.press("Home")
    assert box.get_attribute("data-music") != first
    assert box.locator(".musiclab-player:has(svg) button").inner_text() == "Pause"


def test_one_player_sounds_at_a_time(visit):
    page = visit("play/index.html")
    page.get_by_role("button", name="Continue my melody").click()
    page.locator("[data-toy=continue] .note").first.wait_for(state="attached")
    page.locator("[data-toy=walk] button").click()
    page.locator("[data-toy=walk] .note").first.wait_for(state="attached")
    page.locator("[data-toy=continue] .musiclab-player:has(svg) button").click()
    page.locator("[data-toy=walk] .musiclab-player button").click()
    words = page.locator(".musiclab-player:has(svg) button").all_inner_texts()
    assert words == ["Play", "Pause"]


def test_the_ring_trains_without_long_tasks(visit):
    page = visit("play/index.html")
    box = page.locator("[data-toy=ring]")
    box.get_by_role("button", name="Train").focus()
    page.wait_for_timeout(300)
    page.evaluate("tasks.length = 0")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "document.querySelector('[data-toy=ring]').dataset.steps > 60", timeout=60_000
    )
    assert max(page.evaluate("tasks"), default=0) <= 200
    page.keyboard.press("Enter")
    assert box.get_by_role("button", name="Train").count() == 1


def test_a_melody_is_harmonised_by_keyboard(visit):
    page = visit("play/harmonise.html")
    box = page.locator("[data-toy=harmonise]")
    box.locator(".musiclab-roll svg").focus()
    box.locator(".musiclab-fermata").first.wait_for(state="attached")
    marked = box.locator(".musiclab-fermata").count()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Space", "f"):
        page.keyboard.press(key)
    assert box.locator(".musiclab-fermata").count() == marked + 1
    page.wait_for_function("document.querySelector('[data-toy=harmonise]').dataset.ready")
    page.evaluate("tasks.length = 0")
    box.get_by_role("button", name="Harmonise").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        "document.querySelector('[data-toy=harmonise]').dataset.cells", timeout=30_000
    )
    assert max(page.evaluate("tasks"), default=0) <= 100
    first = np.array(
        page.evaluate("JSON.parse(document.querySelector('[data-toy=harmonise]').dataset.cells)")
    )
    first = first.reshape(-1, 4)
    assert (first[:, 1:] > 0).mean() > 0.8
    for name in ("Keep bass", "Keep bar 1"):
        box.get_by_role("button", name=name, exact=True).focus()
        page.keyboard.press("Enter")
        assert (
            box.get_by_role("button", name=name, exact=True).get_attribute("aria-pressed") == "true"
        )
    page.evaluate("delete document.querySelector('[data-toy=harmonise]').dataset.cells")
    box.get_by_role("button", name="Another one").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        "document.querySelector('[data-toy=harmonise]').dataset.cells", timeout=30_000
    )
    again = np.array(
        page.evaluate("JSON.parse(document.querySelector('[data-toy=harmonise]').dataset.cells)")
    )
    again = again.reshape(-1, 4)
    np.testing.assert_array_equal(again[:, 3], first[:, 3])
    np.testing.assert_array_equal(again[:8], first[:8])
    assert (again[8:, 1:3] != first[8:, 1:3]).any()
    box.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    box.get_by_text("Undone.").wait_for()
    for name, ending in (("Download MIDI", ".mid"), ("Download MusicXML", ".musicxml")):
        with page.expect_download() as got:
            box.get_by_role("button", name=name).focus()
            page.keyboard.press("Enter")
        assert got.value.suggested_filename.endswith(ending)


def test_what_is_taken_away_is_what_was_written(page, tmp_path):
    from musiclab.data import read_music

    given = {"voices": [[[1, 72, 3], [4, 74, 8], [12, 71, 1]], [[0, 64, 13]]], "steps": 13}
    found = run(
        page,
        """const { midi, musicxml } = await import("/sound.js");
        return [[...midi(given.voices, 80, 2)], musicxml(given.voices, given.steps, { pickup: 2, fermatas: [12] })];""",
        **given,
    )
    for name, content in (("a.mid", bytes(found[0])), ("a.musicxml", found[1].encode("utf-8"))):
        (tmp_path / name).write_bytes(content)
        piece = read_music(tmp_path / name)
        piece = piece[0] if isinstance(piece, list) else piece
        pitches = piece.voices[::2, 0]
        np.testing.assert_array_equal(pitches[:13], [-1, 72, 72, 72, *[74] * 8, 71])


def test_the_page_keeps_to_twice_its_figures(browser, address, site):
    """Best of three visits, since other programs may run: what the course promises, doubled."""
    from benchmarks import page as measured

    visits = [measured.visit(browser, address, site) for _ in range(3)]
    best = {rows[0]["what"]: min(row["value"] for row in rows) for rows in zip(*visits)}
    assert {what: v for what, v in best.items() if v > 2 * measured.LIMITS[what]} == {}
