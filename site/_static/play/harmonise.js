// Draw a melody, lesson 16's network adds three voices. The network runs in a worker; nothing leaves the machine.
import { encodeForm, putVoice, toNotes } from "../web/inpainting.js";
import { createPlayer } from "../web/player.js";
import { render } from "../web/roll.js";
import * as sound from "../web/sound.js";
import { choice, download, element, files, rollModel, slider } from "./controls.js";

const NAMES = ["Soprano", "Alto", "Tenor", "Bass"], BPM = 80, SECONDS = 60 / BPM / 2;
const METRES = { "4/4": [4, 4], "3/4": [3, 4], "2/4": [2, 4] };
const FIRST = [[0, 67, 2], [2, 67, 2], [4, 69, 2], [6, 71, 2], [8, 72, 4], [12, 71, 2], [14, 69, 2], [16, 67, 2], [18, 69, 2],
  [20, 67, 2], [22, 65, 2], [24, 64, 4], [28, 62, 4], [32, 64, 2], [34, 65, 2], [36, 67, 2], [38, 69, 2], [40, 67, 4],
  [44, 65, 2], [46, 64, 2], [48, 62, 2], [50, 64, 2], [52, 62, 4], [56, 60, 8]];

export function start(box) {
  const piece = { title: "Your melody", notes: FIRST, fermatas: [31, 63], metre: "4/4", bars: 8, pickup: 0 };
  let cells = null, kept = { voices: [], bars: [] }, history = [], hymns = [], request = 0, worker = null, asked = 0;
  const bar = () => (METRES[piece.metre][0] * 8) / METRES[piece.metre][1];
  const steps = () => piece.bars * bar() + piece.pickup;
  const form = () => ({ steps: steps(), bar: bar(), pickup: piece.pickup, seconds: SECONDS });
  const remember = () => {
    history.push(structuredClone({ piece, cells, kept }));
    undo.disabled = false;
  };

  // the melody
  const place = element("div", { className: "play-roll" });
  const drawMelody = () => {
    const state = { steps: steps(), low: 57, high: 84, bar: bar(), beat: 2, pickup: piece.pickup, bpm: BPM, unit: "eighth",
      title: piece.title, notes: piece.notes, fermatas: piece.fermatas, answer: "" };
    state.changed = () => {
      remember();
      Object.assign(piece, { notes: state.notes, fermatas: state.fermatas });
    };
    place.replaceChildren();
    render({ model: rollModel(state), el: place });
  };
  const fit = () => { // notes and fermatas beyond the end go
    piece.notes = piece.notes.filter(([at]) => at < steps()).map(([at, pitch, size]) => [at, pitch, Math.min(size, steps() - at)]);
    piece.fermatas = piece.fermatas.filter((at) => at < steps());
    cells = null;
    kept = { voices: [], bars: [] };
    drawMelody();
    showAnswer();
  };
  const change = (name, value) => {
    remember();
    piece[name] = value;
    fit();
  };
  const metre = choice("Metre", Object.keys(METRES).map((one) => [one, one]), piece.metre, (value) => change("metre", value));
  const bars = choice("Bars", [4, 8, 12, 16].map((n) => [n, n]), piece.bars, (value) => change("bars", Number(value)));
  const pickup = choice("Pickup", [[0, "none"], [1, "an eighth"], [2, "a quarter"], [4, "a half"]], 0, (value) => change("pickup", Number(value)));
  const melody = choice("Melody", [["", "Your own"]], "", (value) => {
    remember();
    const found = hymns.find(({ title }) => title === value);
    Object.assign(piece, found ? structuredClone(found) : { title: "Your melody", notes: [], fermatas: [] });
    showForm();
    fit();
  });
  const showForm = () => {
    metre.select.value = piece.metre;
    if (![...bars.select.options].some((one) => one.value === String(piece.bars))) {
      bars.select.append(element("option", { value: piece.bars, textContent: piece.bars }));
    }
    bars.select.value = piece.bars;
    pickup.select.value = piece.pickup;
  };

  // how it writes
  const temperature = slider("Temperature", { min: 0.3, max: 1.3, step: 0.1, value: 0.8, say: (x) => x.toFixed(1) });
  const strictness = slider("Counterpoint table", { min: 0, max: 8, step: 0.5, value: 2.5,
    say: (x) => (x === 0 ? "similar motion ignored" : x === 1 ? "as learned" : `similar motion times ${x}`) });
  const density = slider("Movement", { min: 0, max: 4, step: 1, value: 0, say: (x) => ["no wish", "calm", "rather calm", "rather busy", "busy"][x] });
  const tension = slider("Tension", { min: 0, max: 3, step: 1, value: 0, say: (x) => ["no wish", "consonant", "medium", "dissonant"][x] });
  const mode = choice("Mode", [[0, "no wish"], [1, "major"], [2, "minor"]], 0, () => {});
  const forbid = element("input", { type: "checkbox", checked: true });
  const seed = element("input", { type: "number", min: 0, max: 4294967295, value: 1 });
  const status = element("p", { role: "status", className: "play-status" }, "Draw a melody or take this one, then harmonise it.");
  const harmonise = element("button", { type: "button", className: "play-main", textContent: "Harmonise", onclick: () => ask() });
  const another = element("button", { type: "button", textContent: "Another one", disabled: true, onclick: () => {
    seed.value = Number(seed.value) + 1;
    ask();
  } });
  const undo = element("button", { type: "button", textContent: "Undo", disabled: true, onclick: () => {
    const before = history.pop();
    undo.disabled = !history.length;
    Object.assign(piece, before.piece);
    ({ cells, kept } = before);
    request++; // what is being written is no longer wanted
    showForm();
    drawMelody();
    showAnswer();
    status.textContent = "Undone.";
  } });

  // the four voices
  const answer = element("section", { hidden: true }), playerBox = element("div"), keepBox = element("div", { className: "play-keep" });
  const player = createPlayer(playerBox, { label: "Four voices", seconds: SECONDS, source: sound });
  const saves = element("p", {},
    element("button", { type: "button", textContent: "Download MIDI", onclick: () =>
      download("harmonised.mid", "audio/midi", sound.midi(toNotes(cells), BPM, 2, METRES[piece.metre])) }), " ",
    element("button", { type: "button", textContent: "Download MusicXML", onclick: () =>
      download("harmonised.musicxml", "application/vnd.recordare.musicxml+xml", sound.musicxml(toNotes(cells), steps(),
        { bar: bar(), pickup: piece.pickup, metre: METRES[piece.metre], fermatas: piece.fermatas, title: piece.title })) }));
  const key = element("p", { className: "play-key" });
  NAMES.forEach((name, v) => key.append(element("span", { className: `voice-${v}` }), `${name} `));
  answer.append(element("h3", {}, "Four voices"), playerBox, key, keepBox, saves);
  const barOf = (t) => (t < piece.pickup ? 0 : Math.floor((t - piece.pickup) / bar()) + 1);
  const isKept = (t, v) => v === 0 || kept.voices.includes(v) || kept.bars.includes(barOf(t));
  const toggle = (list, one) => (list.includes(one) ? list.filter((other) => other !== one) : [...list, one]);
  const showKept = () => {
    const focused = document.activeElement?.dataset?.keep;
    keepBox.replaceChildren("Keep what is good, then harmonise again: ");
    const add = (name, text, list, one) => keepBox.append(element("button", { type: "button", textContent: text, "data-keep": `${list}${one}`,
      "aria-label": `Keep ${name}`, "aria-pressed": String(kept[list].includes(one)), onclick: () => {
        remember();
        kept[list] = toggle(kept[list], one);
        showKept();
      } }), " ");
    for (const v of [1, 2, 3]) add(NAMES[v].toLowerCase(), NAMES[v], "voices", v);
    if (piece.pickup) add("the pickup", "Pickup", "bars", 0);
    for (let n = 1; n <= piece.bars; n++) add(`bar ${n}`, String(n), "bars", n);
    if (focused) keepBox.querySelector(`[data-keep="${focused}"]`)?.focus();
  };
  const showAnswer = () => {
    answer.hidden = another.disabled = !cells;
    if (!cells) return player.stop();
    player.show(toNotes(cells), form());
    showKept();
  };

  // the network
  const wake = () => {
    if (worker) return;
    sound.warmUp();
    worker = new Worker(new URL("../web/worker.js", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => listen(data);
    worker.onerror = (event) => { status.textContent = `The network could not be started: ${event.message}`; };
    worker.postMessage({ weights: new URL("16_inpainting.safetensors", files).href });
  };
  const listen = (data) => {
    if (data.ready) return (box.dataset.ready = data.engine);
    if (data.error) return (status.textContent = `The network could not be loaded: ${data.error}`);
    if (data.id !== request) return;
    if (!data.done) return (status.textContent = `Sweep ${data.sweep + 1} of 60`);
    cells = data.cells;
    status.textContent = `Written in ${(data.milliseconds / 1000).toFixed(1)} seconds, ${((performance.now() - asked) / 1000).toFixed(1)} since you asked.`;
    box.dataset.cells = JSON.stringify([...cells]);
    box.dataset.milliseconds = data.milliseconds;
    showAnswer();
  };
  function ask() {
    if (!piece.notes.length) return (status.textContent = "The melody is empty: draw a note first.");
    const T = steps(), next = cells ? Int32Array.from(cells) : new Int32Array(T * 4), free = new Uint8Array(T * 4), mood = new Int32Array(T * 3);
    putVoice(next, 0, piece.notes);
    for (let t = 0; t < T; t++) {
      for (let v = 1; v < 4; v++) free[t * 4 + v] = cells && isKept(t, v) ? 0 : 1;
      mood.set([density.value(), tension.value(), Number(mode.select.value)], t * 3);
    }
    if (!free.includes(1)) return (status.textContent = "Everything is kept: release a voice or a bar to have something written.");
    wake();
    sound.prepare();
    remember();
    asked = performance.now();
    status.textContent = "Loading the network ...";
    worker.postMessage({ id: ++request, cells: next, free, mood, seed: Number(seed.value), form: encodeForm(T, { ...form(), fermatas: piece.fermatas }),
      temperature: temperature.value(), strictness: strictness.value(), forbidParallels: forbid.checked, guidance: mood.some((one) => one) ? 1 : 0 });
  }

  box.replaceChildren(
    element("h3", {}, "Your melody"),
    element("div", { className: "play-row" }, melody.box, metre.box, bars.box, pickup.box), place,
    element("h3", {}, "How the network writes"),
    element("div", { className: "play-row" }, temperature.box, strictness.box, density.box, tension.box, mode.box,
      element("label", {}, forbid, " No parallel fifths and octaves"), element("label", {}, "Seed ", seed)),
    element("p", {}, harmonise, " ", another, " ", undo), status, answer);
  drawMelody();
  box.addEventListener("pointerenter", wake, { once: true }); // the weights come on first use
  box.addEventListener("focusin", wake, { once: true });
  fetch(new URL("hymns.json", files)).then((got) => got.json()).then((found) => {
    hymns = found;
    for (const { title } of hymns) melody.select.append(element("option", { value: title, textContent: title }));
  }).catch(() => { status.textContent = "The hymns could not be loaded; you can draw a melody."; });
}
