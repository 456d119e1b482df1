// The page's half of musiclab.show.roll: draws the notes, lets them be changed, plays them. Loads nothing.
const NS = "http://www.w3.org/2000/svg";
const NAMES = ["C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B"];
const BLACK = new Set([1, 3, 6, 8, 10]);
const WIDTH = 22, HEIGHT = 13, LEFT = 40;

const make = (tag, attributes, parent) => {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (parent) parent.append(element);
  return element;
};
const pitchName = (pitch) => `${NAMES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;

function render({ model, el }) {
  const [steps, low, high, bar, beat, pickup, bpm, title] =
    ["steps", "low", "high", "bar", "beat", "pickup", "bpm", "title"].map((name) => model.get(name));
  const rows = high - low + 1;
  const top = (pitch) => (high - pitch) * HEIGHT;
  let cursor = { step: 0, pitch: Math.round((low + high) / 2) };
  let length = beat; // of the next note set
  let drag = null, playing = null;

  const box = document.createElement("div");
  box.className = "musiclab-roll";
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", title);
  const scroll = document.createElement("div");
  scroll.style.cssText = "overflow-x:auto;max-width:100%";
  const svg = make("svg", {
    viewBox: `0 0 ${LEFT + steps * WIDTH} ${rows * HEIGHT}`, width: LEFT + steps * WIDTH, height: rows * HEIGHT,
    tabindex: 0, role: "application",
    "aria-label": `${title}: piano roll. Arrow keys move, space sets or removes a note, shift with left or right ` +
      "makes it shorter or longer, P plays, Escape stops.",
  });
  svg.style.cssText = "touch-action:pan-x;user-select:none;color:var(--jp-content-font-color1,currentColor);display:block";
  const grid = make("g", {}, svg), drawn = make("g", {}, svg);
  for (let pitch = low; pitch <= high; pitch++) {
    make("rect", { x: LEFT, y: top(pitch), width: steps * WIDTH, height: HEIGHT - 1, fill: "currentColor",
      opacity: BLACK.has(pitch % 12) ? 0.14 : 0.06 }, grid);
    if (pitch % 12 === 0) {
      make("text", { x: 4, y: top(pitch) + HEIGHT - 3, "font-size": 11, fill: "currentColor" }, grid)
        .textContent = `C${pitch / 12 - 1}`;
    }
  }
  for (let step = 0; step <= steps; step++) {
    const inBar = (((step - pickup) % bar) + bar) % bar;
    if (inBar % beat && step < steps) continue;
    make("line", { x1: LEFT + step * WIDTH, x2: LEFT + step * WIDTH, y1: 0, y2: rows * HEIGHT, stroke: "currentColor",
      opacity: 0.6, "stroke-width": inBar ? 0.5 : 2 }, grid);
  }
  const place = make("rect", { width: WIDTH, height: HEIGHT, fill: "none", stroke: "#d55e00", "stroke-width": 2 }, svg);
  const head = make("line", { y1: 0, y2: rows * HEIGHT, stroke: "#d55e00", "stroke-width": 2, visibility: "hidden" }, svg);

  const buttons = document.createElement("div");
  const button = (text, action) => {
    const one = document.createElement("button");
    one.type = "button";
    one.textContent = text;
    one.style.cssText = "margin:4px 8px 4px 0;padding:2px 12px";
    one.addEventListener("click", action);
    buttons.append(one);
    return one;
  };
  const playButton = button("Play", () => (playing ? stop() : play()));
  button("Clear", () => keep([]));
  const status = document.createElement("p");
  status.setAttribute("role", "status");
  const answer = document.createElement("p");
  answer.setAttribute("role", "status");
  for (const line of [status, answer]) line.style.cssText = "margin:2px 0";

  const notes = () => model.get("notes").map((note) => [...note]);
  const at = (step) => notes().find(([start, , size]) => start <= step && step < start + size);
  const onIt = (step, pitch) => { const note = at(step); return note && note[1] === pitch ? note : null; };
  const keep = (changed) => {
    model.set("notes", changed.sort((a, b) => a[0] - b[0]));
    model.save_changes();
  };
  // a new note takes its place from what sounds there: one note at a time
  const put = (step, pitch, size) => {
    const end = Math.min(step + size, steps), rest = [];
    for (const [s, p, l] of notes()) {
      if (s < step) rest.push([s, p, Math.min(l, step - s)]);
      else if (s >= end) rest.push([s, p, l]);
    }
    keep([...rest, [step, pitch, end - step]]);
  };
  const remove = (note) => keep(notes().filter(([start]) => start !== note[0]));
  const toggle = (step, pitch) => { const note = onIt(step, pitch); note ? remove(note) : put(step, pitch, length); };
  const resize = (by) => {
    const note = onIt(cursor.step, cursor.pitch);
    if (note) { length = Math.max(1, note[2] + by); put(note[0], note[1], length); }
    else length = Math.max(1, length + by);
  };

  const say = () => {
    const { step, pitch } = cursor, since = step - pickup;
    const number = since < 0 ? "pickup" : `bar ${Math.floor(since / bar) + 1}`;
    const inBar = ((since % bar) + bar) % bar;
    const note = onIt(step, pitch);
    const what = note ? `a note of ${note[2]} sixteenths` : `empty; next note ${length} sixteenths`;
    status.textContent = `${number}, beat ${Math.floor(inBar / beat) + 1}, sixteenth ${inBar % beat + 1}, ` +
      `${pitchName(pitch)}: ${what}`;
  };
  const paint = () => {
    drawn.replaceChildren();
    for (const [step, pitch, size] of model.get("notes")) {
      make("rect", { x: LEFT + step * WIDTH + 1, y: top(pitch), width: size * WIDTH - 2, height: HEIGHT - 1, rx: 3,
        fill: "#0072b2", class: "musiclab-note" }, drawn);
    }
    place.setAttribute("x", LEFT + cursor.step * WIDTH);
    place.setAttribute("y", top(cursor.pitch));
    answer.textContent = model.get("answer");
    say();
  };

  const stop = () => {
    if (!playing) return;
    const { context, frame } = playing;
    playing = null;
    cancelAnimationFrame(frame);
    context.close();
    head.setAttribute("visibility", "hidden");
    playButton.textContent = "Play";
  };
  const play = () => {
    stop();
    const context = new AudioContext(), seconds = 15 / bpm, begin = context.currentTime + 0.05;
    for (const [step, pitch, size] of model.get("notes")) {
      const tone = context.createOscillator(), gain = context.createGain();
      const on = begin + step * seconds, off = on + size * seconds * 0.95;
      tone.type = "triangle";
      tone.frequency.value = 440 * 2 ** ((pitch - 69) / 12);
      gain.gain.setValueAtTime(0, on);
      gain.gain.linearRampToValueAtTime(0.2, on + 0.02);
      gain.gain.setValueAtTime(0.2, Math.max(on + 0.02, off - 0.03));
      gain.gain.linearRampToValueAtTime(0, off);
      tone.connect(gain).connect(context.destination);
      tone.start(on);
      tone.stop(off);
    }
    playButton.textContent = "Stop";
    head.setAttribute("visibility", "visible");
    const follow = () => {
      const step = (context.currentTime - begin) / seconds;
      if (step >= steps) return stop();
      const x = LEFT + Math.max(0, step) * WIDTH;
      head.setAttribute("x1", x);
      head.setAttribute("x2", x);
      playing.frame = requestAnimationFrame(follow);
    };
    playing = { context, frame: 0 };
    playing.frame = requestAnimationFrame(follow);
  };

  const under = (event) => {
    const area = svg.getBoundingClientRect();
    const step = Math.floor((event.clientX - area.left - LEFT) / WIDTH);
    const pitch = high - Math.floor((event.clientY - area.top) / HEIGHT);
    return { step: Math.min(Math.max(step, 0), steps - 1), pitch: Math.min(Math.max(pitch, low), high) };
  };
  svg.addEventListener("pointerdown", (event) => {
    drag = under(event);
    cursor = { ...drag };
    svg.setPointerCapture(event.pointerId);
    paint();
  });
  svg.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const size = under(event).step - drag.step + 1;
    if (size > 1) put(drag.step, drag.pitch, (length = size));
    else toggle(drag.step, drag.pitch);
    drag = null;
  });
  svg.addEventListener("pointercancel", () => { drag = null; });
  svg.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (move && event.shiftKey && move[0]) resize(move[0]);
    else if (move) {
      cursor = { step: Math.min(Math.max(cursor.step + move[0], 0), steps - 1),
        pitch: Math.min(Math.max(cursor.pitch + move[1], low), high) };
    } else if (event.key === " " || event.key === "Enter") toggle(cursor.step, cursor.pitch);
    else if (event.key === "p" || event.key === "P") playing ? stop() : play();
    else if (event.key === "Escape" && playing) stop();
    else return;
    event.preventDefault();
    event.stopPropagation(); // JupyterLab has other plans for these keys
    paint();
  });

  model.on("change:notes", paint);
  model.on("change:answer", paint);
  paint();
  scroll.append(svg);
  box.append(scroll, buttons, status, answer);
  el.append(box);
  return stop;
}

export default { render };
