// A player for notes: a button, the music as a small piano roll with a cursor, a slider for the place, the time.
// The duration is known before it plays; only one player of a page sounds at a time.
import { isPlaying, lengthOf, play, stop } from "./sound.js";

const NS = "http://www.w3.org/2000/svg";
export const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

// Draws voices into an <svg> that scales to its width; returns a function that moves the cursor (null hides it).
export function drawRoll(svg, voices, { steps, bar = 8, pickup = 0, faded = null } = {}) {
  const pitches = voices.flat().map(([, pitch]) => pitch);
  const low = Math.min(60, ...pitches) - 1, high = Math.max(60, ...pitches) + 1, height = high - low + 1;
  svg.setAttribute("viewBox", `0 0 ${steps} ${height}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.replaceChildren();
  const rectangle = (attributes) => {
    const made = document.createElementNS(NS, "rect");
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    svg.append(made);
    return made;
  };
  for (let t = pickup; t < steps; t += bar) rectangle({ x: t, y: 0, width: 0.06, height, fill: "currentColor", opacity: 0.5 });
  voices.forEach((notes, v) => {
    for (const [start, pitch, length] of notes) {
      rectangle({ x: start + 0.05, y: high - pitch + 0.05, width: length - 0.1, height: 0.9, fill: COLOURS[v % 4],
        opacity: faded?.(start, v) ? 0.4 : 1, class: "note" });
    }
  });
  const cursor = rectangle({ x: 0, y: 0, width: 0.15, height, fill: "currentColor", visibility: "hidden", class: "cursor" });
  return (step) => {
    cursor.setAttribute("visibility", step === null ? "hidden" : "visible");
    if (step !== null) cursor.setAttribute("x", step);
  };
}

// Puts a player into an element. Returns {show(voices, form), toggle(), stop()}: show goes on playing at the same place.
export function createPlayer(box, { label, seconds, onStep = () => {} }) {
  let voices = [], steps = 0, place = 0, playing = false, move = () => {}, step = seconds;
  box.classList.add("musiclab-player");
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", label);
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("role", "img");
  const row = document.createElement("div"), button = document.createElement("button");
  const slider = document.createElement("input"), time = document.createElement("span");
  button.type = "button";
  slider.type = "range";
  slider.setAttribute("aria-label", `${label}: place`);
  slider.min = 0;
  slider.step = 1;
  time.className = "time";
  row.append(button, slider, time);
  box.replaceChildren(svg, row);

  const tell = () => {
    const text = `${clock(place * step)} of ${clock(steps * step)}`;
    time.textContent = `${clock(place * step)} / ${clock(steps * step)}`;
    slider.value = Math.round(place);
    slider.setAttribute("aria-valuetext", text);
    button.textContent = playing ? "Pause" : "Play";
    button.disabled = slider.disabled = !steps;
  };
  const start = () => {
    if (!steps) return;
    const from = place >= steps - 0.5 ? 0 : place;
    play({ voices, seconds: step, from,
      at: (now) => { place = now; move(now); onStep(now); tell(); },
      end: () => {
        playing = false;
        if (place >= steps - 0.5) place = 0;
        move(null);
        onStep(null);
        tell();
      } });
    playing = true;
    tell();
  };
  const toggle = () => (playing && isPlaying() ? stop() : start());
  button.addEventListener("click", toggle);
  slider.addEventListener("input", () => {
    const again = playing;
    if (again) stop();
    place = Number(slider.value);
    move(place);
    tell();
    if (again) start();
  });
  const show = (music, form = {}) => {
    const again = playing, share = steps ? place / steps : 0;
    if (again) stop();
    voices = music;
    steps = form.steps ?? lengthOf(music);
    step = form.seconds ?? step;
    slider.max = steps;
    place = again ? share * steps : 0;
    move = drawRoll(svg, voices, { ...form, steps });
    const count = voices.flat().length;
    svg.setAttribute("aria-label", `piano roll: ${count} notes in ${voices.length} voice${voices.length > 1 ? "s" : ""}`);
    tell();
    if (again) start();
  };
  show([], { steps: 0 });
  return { show, toggle, stop: () => playing && stop(), isPlaying: () => playing };
}
