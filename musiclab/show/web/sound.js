// Sound of a page: one AudioContext, one piece at a time, a cursor told by its clock. MIDI and MusicXML to take away.
// Music is a list of voices, each a list of notes [start, MIDI pitch, length] in steps.
const PARTIALS = [0, 1, 0.7, 0.45, 0.35, 0.2, 0.15, 0.08, 0.08]; // as musiclab.show.audio
const PAN = [-0.35, -0.12, 0.12, 0.35], LEVEL = 0.12, LEAD = 0.04; // seconds from the click to the first note
let context = null, now = null;

export const lengthOf = (voices) => Math.max(0, ...voices.flat().map(([start, , length]) => start + length));

// One oscillator per voice; each note has a rise, a plateau and a fall, so that no leap clicks.
export function schedule(ctx, voices, seconds, begin, from = 0) {
  const master = ctx.createGain(), size = PARTIALS.length, tones = [];
  const wave = ctx.createPeriodicWave(new Float32Array(size), Float32Array.from(PARTIALS));
  master.connect(ctx.destination);
  voices.forEach((notes, v) => {
    const heard = notes.filter(([start, , length]) => start + length > from);
    if (!heard.length) return;
    const tone = ctx.createOscillator(), gain = ctx.createGain(), pan = ctx.createStereoPanner();
    tone.setPeriodicWave(wave);
    gain.gain.value = 0;
    pan.pan.value = voices.length > 1 ? PAN[v % 4] : 0;
    tone.connect(gain).connect(pan).connect(master);
    let end = 0;
    for (const [start, pitch, length] of heard) {
      const on = begin + Math.max(0, start - from) * seconds, off = begin + (start + length - from) * seconds;
      const rise = Math.min(0.015, (off - on) / 4), fall = Math.min(0.04, (off - on) / 3);
      tone.frequency.setValueAtTime(440 * 2 ** ((pitch - 69) / 12), on);
      gain.gain.setValueAtTime(0, on);
      gain.gain.linearRampToValueAtTime(LEVEL, on + rise);
      gain.gain.setValueAtTime(LEVEL, off - fall);
      gain.gain.linearRampToValueAtTime(0, off - 0.002);
      end = Math.max(end, off);
    }
    tone.start(begin);
    tone.stop(end + 0.05);
    tones.push(tone);
  });
  return { master, tones };
}

// Stops what sounds, in the page's players too.
export function stop() {
  document.querySelectorAll("audio").forEach((audio) => audio.pause());
  silence();
}

function silence() {
  if (!now) return;
  const { master, tones, end, frame } = now;
  now = null;
  cancelAnimationFrame(frame);
  master.gain.setTargetAtTime(0, context.currentTime, 0.008);
  for (const tone of tones) tone.stop(context.currentTime + 0.06);
  setTimeout(() => master.disconnect(), 200);
  end();
}

// Has the browser start its audio service in the background; without that, making the first AudioContext blocks the page
// for a tenth of a second. It asks for nothing and learns nothing: devices stay nameless without a permission.
export const warmUp = () => navigator.mediaDevices?.enumerateDevices().catch(() => {});

// Makes the AudioContext ahead of the first sound, which then begins at once. Call it from a click.
export function prepare() {
  context ??= new AudioContext({ latencyHint: "interactive" });
  if (context.state !== "running") context.resume();
}

// Plays from a step on, until a step. Call it from a click: browsers allow sound only then. at(step) follows, end() comes last.
export async function play({ voices, seconds, from = 0, until = lengthOf(voices), at = () => {}, end = () => {} }) {
  stop();
  document.dispatchEvent(new CustomEvent("musiclab-sounds", { detail: stop }));
  context ??= new AudioContext({ latencyHint: "interactive" });
  if (context.state !== "running") await context.resume();
  const begin = context.currentTime + LEAD;
  const mine = { ...schedule(context, voices, seconds, begin, from), end, frame: 0 };
  now = mine;
  const follow = () => {
    if (now !== mine) return;
    const step = from + (context.currentTime - (context.outputLatency || 0) - begin) / seconds;
    if (step >= until) {
      at(until);
      return stop();
    }
    at(Math.max(from, step));
    mine.frame = requestAnimationFrame(follow);
  };
  mine.frame = requestAnimationFrame(follow);
}

export const isPlaying = () => now !== null;

// What begins ends everything else: an <audio>, or another copy of this module, such as that of another widget.
if (globalThis.document) {
  document.addEventListener("musiclab-sounds", ({ detail }) => detail !== stop && silence());
  document.addEventListener("play", ({ target }) => {
    silence();
    document.querySelectorAll("audio").forEach((audio) => audio !== target && audio.pause());
  }, true);
}

// The same notes through the same graph, rendered without a loudspeaker: for tests.
export async function offline(voices, seconds, rate = 44100) {
  const ctx = new OfflineAudioContext(2, Math.ceil((lengthOf(voices) * seconds + 0.2) * rate), rate);
  schedule(ctx, voices, seconds, LEAD);
  return ctx.startRendering();
}

const NAMES = ["Soprano", "Alto", "Tenor", "Bass"];

// A standard MIDI file of type 1, one track a voice. perQuarter: steps in a quarter note.
export function midi(voices, bpm, perQuarter, [beats, unit] = [4, 4]) {
  const TICKS = 480, bytes = (text) => [...text].map((c) => c.charCodeAt(0));
  const number = (n) => [n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255];
  const variable = (n) => {
    const out = [n & 127];
    while ((n >>= 7)) out.unshift((n & 127) | 128);
    return out;
  };
  const chunk = (id, body) => [...bytes(id), ...number(body.length), ...body];
  const END = [0, 0xff, 0x2f, 0], tempo = number(Math.round(6e7 / bpm)).slice(1);
  const metre = [0, 0xff, 0x58, 4, beats, Math.log2(unit), 24, 8];
  const tracks = [[0, 0xff, 0x51, 3, ...tempo, ...metre, ...END]];
  voices.forEach((notes, v) => {
    const events = notes.flatMap(([start, pitch, length]) => [[start, 1, pitch], [start + length, 0, pitch]]);
    events.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const name = NAMES[v], body = [0, 0xff, 3, name.length, ...bytes(name), 0, 0xc0 | v, 19];
    let before = 0;
    for (const [step, on, pitch] of events) {
      body.push(...variable(Math.round(((step - before) * TICKS) / perQuarter)), (on ? 0x90 : 0x80) | v, pitch, on ? 90 : 0);
      before = step;
    }
    tracks.push([...body, ...END]);
  });
  const head = [0, 1, 0, tracks.length, TICKS >> 8, TICKS & 255];
  return new Uint8Array([...chunk("MThd", head), ...tracks.flatMap((track) => chunk("MTrk", track))]);
}

// MusicXML of music on 8ths in C major: one part a voice, notes tied over barlines.
export function musicxml(voices, steps, { bar = 8, pickup = 0, metre = [4, 4], fermatas = [], title = "Harmonised melody" } = {}) {
  const STEPS = ["C", "C", "D", "E", "E", "F", "F", "G", "G", "A", "B", "B"], ALTER = [0, 1, 0, -1, 0, 0, 1, 0, 1, 0, -1, 0];
  const TYPES = { 8: "whole", 6: "half.", 4: "half", 3: "quarter.", 2: "quarter", 1: "eighth" };
  const part = (notes, v) => {
    const edges = pickup ? [0] : [], pieces = [];
    for (let t = pickup; t < steps; t += bar) edges.push(t);
    edges.forEach((from, number) => {
      const to = Math.min(edges[number + 1] ?? steps, steps);
      const clef = v < 2 ? ["G", 2] : ["F", 4];
      const head = number ? "" : `<attributes><divisions>2</divisions><key><fifths>0</fifths></key><time><beats>${metre[0]}</beats>` +
        `<beat-type>${metre[1]}</beat-type></time><clef><sign>${clef[0]}</sign><line>${clef[1]}</line></clef></attributes>`;
      let t = from, body = "";
      while (t < to) {
        const note = notes.find(([start, , length]) => start <= t && t < start + length);
        const next = notes.find(([start]) => start > t);
        let until = Math.min(to, note ? note[0] + note[2] : next ? next[0] : steps);
        const size = [8, 6, 4, 3, 2, 1].find((one) => one <= until - t);
        until = t + size;
        const type = TYPES[size], dot = type.endsWith(".") ? "<dot/>" : "";
        const tail = `<duration>${size}</duration>`, kind = `<type>${type.replace(".", "")}</type>${dot}`;
        if (!note) body += `<note><rest/>${tail}${kind}</note>`;
        else {
          const begins = note[0] === t, ends = note[0] + note[2] === until, pc = note[1] % 12;
          const ties = [...(begins ? [] : ["stop"]), ...(ends ? [] : ["start"])];
          const held = fermatas.some((one) => t <= one && one < until) ? '<fermata type="upright"/>' : "";
          const marks = ties.map((one) => `<tied type="${one}"/>`).join("") + held;
          body += `<note><pitch><step>${STEPS[pc]}</step>${ALTER[pc] ? `<alter>${ALTER[pc]}</alter>` : ""}<octave>${Math.floor(note[1] / 12) - 1}</octave></pitch>` +
            `${tail}${ties.map((one) => `<tie type="${one}"/>`).join("")}${kind}${marks ? `<notations>${marks}</notations>` : ""}</note>`;
        }
        t = until;
      }
      const implicit = pickup && !number ? ' implicit="yes"' : "";
      pieces.push(`<measure number="${number + (pickup ? 0 : 1)}"${implicit}>${head}${body}</measure>`);
    });
    return `<part id="P${v + 1}">${pieces.join("\n")}</part>`;
  };
  const list = voices.map((_, v) => `<score-part id="P${v + 1}"><part-name>${NAMES[v]}</part-name></score-part>`).join("");
  return `<?xml version="1.0" encoding="UTF-8"?>\n<score-partwise version="4.0"><work><work-title>${title}</work-title></work>` +
    `<part-list>${list}</part-list>\n${voices.map(part).join("\n")}\n</score-partwise>\n`;
}
