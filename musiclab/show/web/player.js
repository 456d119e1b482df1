// The player of notebooks, the website and the roll that one draws into: a button, a slider for the place, the time,
// and the music as a small piano roll with a cursor. The duration is known before it plays; one thing sounds at a time.
// Music is a list of voices, each a list of notes [start, MIDI pitch, length] in steps.
const NS = "http://www.w3.org/2000/svg";
export const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];
const STYLE = `.musiclab-player { display: block; max-width: 44rem; color: inherit; }
.musiclab-player > audio { display: none; }
.musiclab-player > svg { width: 100%; height: var(--roll-height, 4.5rem); display: block; cursor: pointer;
  border: 1px solid var(--pst-color-border, currentColor); box-sizing: border-box; }
.musiclab-player > .controls { display: flex; flex-wrap: wrap; align-items: center; gap: 0.6rem; margin: 0.3rem 0; }
.musiclab-player button { min-width: 4.5rem; padding: 0.25rem 0.8rem; font: inherit; cursor: pointer; color: inherit;
  background: transparent; border: 2px solid currentColor; border-radius: 4px; font-weight: 600; }
.musiclab-player input { flex: 1 1 8rem; min-width: 0; accent-color: currentColor; }
.musiclab-player .time { font-variant-numeric: tabular-nums; }`;

const clock = (seconds) => {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};

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
  const thin = steps / 800;
  for (let t = pickup; t < steps; t += bar) rectangle({ x: t, y: 0, width: thin, height, fill: "currentColor", opacity: 0.5 });
  voices.forEach((notes, v) => {
    for (const [start, pitch, length] of notes) {
      rectangle({ x: start + 0.05, y: high - pitch + 0.05, width: length - 0.1, height: 0.9, fill: COLOURS[v % 4],
        opacity: faded?.(start, v) ? 0.4 : 1, class: "note" });
    }
  });
  const cursor = rectangle({ x: 0, y: 0, width: 3 * thin, height, fill: "currentColor", visibility: "hidden", class: "cursor" });
  return (step) => {
    cursor.setAttribute("visibility", step === null ? "hidden" : "visible");
    if (step !== null) cursor.setAttribute("x", step);
  };
}

// Follows in the engraved scores of this music, wherever in the page they stand, with a line at the notes that sound.
export function scoreCursor(music) {
  let lines = null;
  return (step) => {
    if (step === null) {
      lines?.forEach(({ line }) => line.remove());
      lines = null;
      return;
    }
    lines ??= [...document.querySelectorAll(`.musiclab-score[data-music="${music}"]`)].map((score) => {
      const line = document.createElement("div");
      line.className = "musiclab-cursor";
      line.setAttribute("style", "position:absolute;width:2px;background:#d55e00;pointer-events:none");
      score.append(line);
      const heads = [...score.querySelectorAll("[data-at]")].map((head) => [parseFloat(head.dataset.at), head])
        .filter(([, head]) => head.getBoundingClientRect().width).sort(([a], [b]) => a - b);
      return { score, line, heads, end: Number(score.dataset.steps), shown: null };
    });
    for (const one of lines) {
      const [, head] = one.heads.findLast(([start]) => start <= step + 0.01) ?? [];
      const there = head && step < one.end;
      one.line.hidden = !there;
      if (!there || head === one.shown) continue;
      one.shown = head;
      const [note, system, page] = [head, head.closest(".system"), one.score].map((part) => part.getBoundingClientRect());
      one.line.style.left = `${note.left - page.left - 3}px`;
      one.line.style.top = `${system.top - page.top}px`;
      one.line.style.height = `${system.height}px`;
    }
  };
}

// What an <audio> plays, with the interface of sound.js: at(step) follows, end() comes last.
function fromAudio(audio) {
  let told = null;
  const finish = () => {
    const { end } = told ?? {};
    told = null;
    end?.();
  };
  audio.addEventListener("pause", () => { // at the end of the music, too
    if (!audio.paused) return; // it plays again already
    if (audio.ended) told?.at(Infinity);
    finish();
  });
  return {
    play(wanted) {
      audio.currentTime = wanted.from * wanted.seconds;
      told = wanted;
      audio.play().catch(() => told === wanted && finish());
      const follow = () => {
        if (told !== wanted) return;
        if (audio.readyState > 1) wanted.at(audio.currentTime / wanted.seconds);
        requestAnimationFrame(follow);
      };
      requestAnimationFrame(follow);
    },
    stop() {
      audio.pause();
      finish();
    },
    isPlaying: () => told !== null,
  };
}

// Puts a player into an element. `source` plays: the module sound.js, or an <audio>. With `roll` the music is drawn.
// Returns {show(voices, form), toggle(), stop(), playing(), play(share)}: show goes on playing at the same place.
export function createPlayer(box, { label, seconds, source, roll = true, onStep = () => {} }) {
  let voices = [], steps = 0, place = 0, playing = false, move = () => {}, step = seconds;
  if (!document.getElementById("musiclab-player-style")) {
    document.head.append(Object.assign(document.createElement("style"), { id: "musiclab-player-style", textContent: STYLE }));
  }
  box.classList.add("musiclab-player");
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", label);
  box.dataset.lmSuppressShortcuts = "true"; // JupyterLab has other plans for these keys, and so have slides
  box.addEventListener("keydown", (event) => event.stopPropagation());
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("role", "img");
  const row = document.createElement("div"), button = document.createElement("button");
  const slider = document.createElement("input"), time = document.createElement("span");
  row.className = "controls";
  button.type = "button";
  slider.type = "range";
  slider.setAttribute("aria-label", `${label}: place`);
  slider.min = 0;
  slider.step = 1;
  time.className = "time";
  row.append(button, slider, time);
  box.append(...(roll ? [svg] : []), row);

  const tell = () => {
    const [now, all] = [place * step, steps * step].map(clock);
    time.textContent = `${now} / ${all}`;
    slider.value = Math.round(place);
    slider.setAttribute("aria-valuetext", `${now} of ${all}`);
    button.textContent = playing ? "Pause" : "Play";
    button.disabled = slider.disabled = !steps;
  };
  const start = () => {
    if (!steps) return;
    const from = place >= steps - 0.5 ? 0 : place;
    source.play({ voices, seconds: step, from, until: steps,
      at: (now) => { place = Math.min(now, steps); move(place); onStep(place); tell(); },
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
  const isPlaying = () => playing && source.isPlaying();
  const goTo = (to) => {
    const again = isPlaying();
    if (again) source.stop();
    place = to;
    move(place);
    onStep(place);
    tell();
    if (again) start();
  };
  const toggle = () => (isPlaying() ? source.stop() : start());
  button.addEventListener("click", toggle);
  slider.addEventListener("input", () => goTo(Number(slider.value)));
  svg.addEventListener("click", ({ clientX }) => {
    const { left, width } = svg.getBoundingClientRect();
    goTo((steps * (clientX - left)) / width);
  });
  const show = (music, form = {}) => {
    const again = playing, share = steps ? place / steps : 0;
    if (again) source.stop();
    voices = music;
    steps = form.steps ?? Math.max(0, ...music.flat().map(([begin, , length]) => begin + length));
    step = form.seconds ?? step;
    slider.max = steps;
    place = again ? share * steps : 0;
    if (roll) move = drawRoll(svg, voices, { ...form, steps });
    const count = voices.flat().length;
    svg.setAttribute("aria-label", `piano roll: ${count} notes in ${voices.length} voice${voices.length > 1 ? "s" : ""}`);
    tell();
    if (again) start();
  };
  show([], { steps: 0 });
  return {
    show, toggle, stop: () => isPlaying() && source.stop(), isPlaying, playing: () => (isPlaying() ? place / steps : null),
    play: (share) => { goTo(share * steps); if (!isPlaying()) start(); },
  };
}

// <musiclab-player>: what musiclab.show.play and musiclab.show.sound write. Without JavaScript the <audio> in it is seen.
const FOLLOWS = ".widget-html-content, .widget-output, .jupyter-widget-output"; // where a slider of a notebook puts its answer
let left = null; // where something played until it was replaced
if (globalThis.customElements && !customElements.get("musiclab-player")) {
  customElements.define("musiclab-player", class extends HTMLElement {
    connectedCallback() {
      const audio = this.querySelector("audio");
      if (!audio) { // the page is being read
        document.addEventListener("DOMContentLoaded", () => this.connectedCallback(), { once: true });
        return;
      }
      this.player ??= this.build(audio);
      this.box = this.closest(FOLLOWS);
      this.index = this.box ? [...this.box.querySelectorAll("musiclab-player")].indexOf(this) : 0;
      if (left && left.box === this.box && left.index === this.index && performance.now() - left.at < 5000) {
        this.player.play(left.share);
        left = null;
      }
    }

    disconnectedCallback() { // browsers tell the old player sometimes before and sometimes after the new one
      const share = this.player?.playing() ?? null;
      if (share === null) return;
      this.player.stop();
      if (!this.box) return;
      const next = this.box.querySelectorAll("musiclab-player")[this.index]?.player;
      if (next) next.play(share);
      else left = { share, box: this.box, index: this.index, at: performance.now() };
    }

    build(audio) {
      const { label, seconds, steps, notes, bar, pickup, music, from, to } = this.dataset;
      const picture = this.querySelector(".cursor"), inScore = music ? scoreCursor(music) : () => {};
      audio.controls = false;
      const player = createPlayer(this, { label, seconds: Number(seconds), source: fromAudio(audio), roll: Boolean(notes),
        onStep: (step) => {
          inScore(step);
          if (picture && step !== null) picture.style.left = `${100 * (Number(from) + ((to - from) * step) / steps)}%`;
        } });
      player.show(notes ? JSON.parse(notes) : [], { steps: Number(steps), bar: Number(bar) || 16, pickup: Number(pickup) || 0 });
      return player;
    }
  });
  // an <audio> that begins ends the others
  document.addEventListener("play", ({ target }) => {
    document.querySelectorAll("audio").forEach((audio) => audio !== target && audio.pause());
  }, true);
}
