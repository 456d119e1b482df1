// The network of musiclab.models.attention.inpainting in a page: the same logits, the same draws, the same notes.
import { inverseCdf, uniforms } from "./random.js";
import { products } from "./matmul.js";

export const VOICES = 4, LOW = 30, PITCHES = 61, CELLS = 2 * PITCHES + 1;
export const FORM_SIZES = [2, 12, 2, 2, 10, 11], MOOD_SIZES = [5, 4, 3];
export const MOST_STEPS = 256; // 8ths
const UNKNOWN = PITCHES + 1, INTERVALS = 73, LEAST = -24, MOST = 48, SMALLEST_MASK = 0.05;
const PAIRS = [[-1, 0, 1, 2], [0, -1, 3, 4], [1, 3, -1, 5], [2, 4, 5, -1]]; // which table two voices share

export const sounding = (cell) => (cell > PITCHES ? cell - PITCHES : cell);
const modulo12 = (n) => ((n % 12) + 12) % 12;
const sigmoid = (x) => 1 / (1 + Math.exp(-x));

export class Inpainting {
  // weights: what safetensors.js read
  static async create({ arrays, shapes, metadata }, options) {
    const net = new Inpainting(), d = shapes.scale[0];
    if (metadata.model !== "inpainting" || metadata.version !== "1") throw new Error("these weights are of another network");
    const dilations = metadata.dilations.split(" ").map(Number);
    const make = await products(MOST_STEPS, 3 * d, options);
    Object.assign(net, { w: arrays, d, dilations, make, engine: make.name });
    net.blocks = dilations.map((_, i) => ({
      kernel: make.put(arrays[`block${i}.kernel`], 3 * d, 2 * d),
      out: make.put(arrays[`block${i}.out`], d, d),
    }));
    net.heads = [0, 1, 2, 3].map((v) =>
      make.put(arrays.kernel.subarray(v * d * CELLS, (v + 1) * d * CELLS), d, CELLS));
    return net;
  }

  // Hidden states (T, d) of cells (T, 4), hidden (T, 4), form (T, 6), mood (T, 3).
  hiddenStates(cells, hidden, form, mood) {
    const { w, d } = this, T = cells.length / VOICES;
    const x = new Float32Array(T * d), h = new Float32Array(T * d), three = new Float32Array(T * 3 * d);
    const gates = new Float32Array(T * 2 * d), gated = new Float32Array(T * d), out = new Float32Array(T * d);
    const add = (table, row, at) => {
      for (let k = 0, q = row * d; k < d; k++) x[at + k] += table[q + k];
    };
    for (let t = 0; t < T; t++) {
      for (let v = 0; v < VOICES; v++) {
        const cell = cells[t * VOICES + v], unknown = hidden[t * VOICES + v];
        add(w.pitch, v * (UNKNOWN + 1) + (unknown ? UNKNOWN : sounding(cell)), t * d);
        add(w.strike, v * 3 + (unknown ? 2 : cell > PITCHES ? 1 : 0), t * d);
      }
      for (let i = 0, start = 0; i < FORM_SIZES.length; start += FORM_SIZES[i++]) add(w.form, start + form[t * 6 + i], t * d);
      for (let i = 0, start = 0; i < MOOD_SIZES.length; start += MOOD_SIZES[i++]) add(w.mood, start + mood[t * 3 + i], t * d);
    }
    this.blocks.forEach((block, i) => { // Eq. (16.3)
      normalise(x, w[`block${i}.scale`], T, d, h);
      const reach = this.dilations[i], bias = w[`block${i}.bias`];
      three.fill(0);
      for (let t = 0; t < T; t++) {
        for (let part = 0; part < 3; part++) {
          const from = t + (part - 1) * reach;
          if (from >= 0 && from < T) three.set(h.subarray(from * d, (from + 1) * d), (t * 3 + part) * d);
        }
      }
      this.make.multiply(three, T, block.kernel, gates);
      for (let t = 0; t < T; t++) {
        for (let k = 0; k < d; k++) {
          const a = gates[t * 2 * d + k] + bias[k], b = gates[t * 2 * d + d + k] + bias[d + k];
          gated[t * d + k] = a * sigmoid(a) * sigmoid(b);
        }
      }
      this.make.multiply(gated, T, block.out, out);
      for (let k = 0; k < T * d; k++) x[k] += out[k];
    });
    normalise(x, w.scale, T, d, h);
    return h;
  }

  // Logits of the hidden cells only, by voice: {steps, logits (n, CELLS)}.
  logits(cells, hidden, form, mood, strictness = 1) {
    const { w, d } = this, T = cells.length / VOICES, h = this.hiddenStates(cells, hidden, form, mood), found = [];
    for (let v = 0; v < VOICES; v++) {
      const steps = [];
      for (let t = 0; t < T; t++) if (hidden[t * VOICES + v]) steps.push(t);
      const rows = new Float32Array(steps.length * d), logits = new Float32Array(steps.length * CELLS);
      steps.forEach((t, i) => rows.set(h.subarray(t * d, (t + 1) * d), i * d));
      if (steps.length) this.make.multiply(rows, steps.length, this.heads[v], logits);
      steps.forEach((t, i) => {
        for (let k = 0; k < CELLS; k++) logits[i * CELLS + k] += w.bias[v * CELLS + k];
        this.addCounterpoint(logits, i * CELLS, cells, hidden, t, v, strictness);
      });
      found.push({ steps, logits });
    }
    return found;
  }

  // Adds the tables' entries to the logits of one cell, and rules out pitches that can't be held.
  addCounterpoint(logits, at, cells, hidden, t, v, strictness) {
    const { w } = this, T = cells.length / VOICES;
    const known = (step, voice) =>
      step < 0 || step >= T || hidden[step * VOICES + voice] ? -1 : sounding(cells[step * VOICES + voice]);
    const before = known(t - 1, v), after = known(t + 1, v), total = new Float32Array(PITCHES + 1);
    for (let other = 0; other < VOICES; other++) {
      const now = other === v ? 0 : known(t, other);
      if (now <= 0) continue;
      const sign = v < other ? 1 : -1, pair = PAIRS[v][other]; // intervals are those of the upper voice over the lower
      const otherBefore = known(t - 1, other), otherAfter = known(t + 1, other);
      for (let k = 1; k <= PITCHES; k++) {
        const interval = (k - now) * sign;
        total[k] += w.interval[pair * INTERVALS + Math.min(MOST, Math.max(LEAST, interval)) - LEAST];
        if (before > 0 && otherBefore > 0) {
          const motion = Math.sign((k - before) * (now - otherBefore)) + 1;
          const from = modulo12((before - otherBefore) * sign);
          total[k] += w.table[((pair * 12 + from) * 12 + modulo12(interval)) * 3 + motion] * (motion === 2 ? strictness : 1);
        }
        if (after > 0 && otherAfter > 0) {
          const motion = Math.sign((after - k) * (otherAfter - now)) + 1;
          const to = modulo12((after - otherAfter) * sign);
          total[k] += w.table[((pair * 12 + modulo12(interval)) * 12 + to) * 3 + motion] * (motion === 2 ? strictness : 1); // Eq. (16.5)
        }
      }
    }
    for (let k = 1; k <= PITCHES; k++) {
      logits[at + k] += total[k];
      logits[at + PITCHES + k] += total[k];
      if (t === 0 || (before >= 0 && before !== k)) logits[at + k] = -1e9;
    }
  }

  // Logits with guidance, divided by the temperature.
  scaledLogits(cells, hidden, { form, mood, strictness, guidance, temperature }) {
    const told = this.logits(cells, hidden, form, mood, strictness), tau = Math.fround(temperature);
    const untold = guidance > 0 ? this.logits(cells, hidden, form, new Int32Array(mood.length), strictness) : null;
    told.forEach(({ logits }, v) => {
      if (untold) {
        for (let i = 0; i < logits.length; i++) logits[i] += guidance * (logits[i] - untold[v].logits[i]); // Eq. (16.6)
      }
      for (let i = 0; i < logits.length; i++) logits[i] /= tau;
    });
    return told;
  }

  // Annealed blocked Gibbs sampling; after each sweep {sweep, cells, hidden}. free (T, 4): the cells to write.
  // forbidParallels: at last, each free cell that makes parallels is drawn again, from what makes none.
  *sweeps({ cells, form, mood, free, seed, sweeps = 60, temperature = 0.9, strictness = 2.5, guidance = 0, forbidParallels = false }) {
    const T = cells.length / VOICES, settings = { form, mood, strictness, guidance, temperature };
    cells = Int32Array.from(cells);
    for (let n = 0; n < sweeps; n++) {
      const share = Math.max(SMALLEST_MASK, 1 - n / (0.75 * sweeps)); // Eq. (16.4)
      const hidden = new Uint8Array(T * VOICES), draws = new Float64Array(T * VOICES);
      for (let i = 0; i < hidden.length; i++) {
        if (!free[i]) continue;
        const [u, draw] = uniforms(seed, i, n);
        hidden[i] = n === 0 || u < share ? 1 : 0;
        draws[i] = draw;
      }
      const written = Int32Array.from(cells);
      this.scaledLogits(cells, hidden, settings).forEach(({ steps, logits }, v) => {
        steps.forEach((t, i) => {
          written[t * VOICES + v] = inverseCdf(logits, i * CELLS, CELLS, draws[t * VOICES + v]);
        });
      });
      cells = written;
      yield { sweep: n, cells, hidden };
    }
    for (let i = 0; forbidParallels && i < T * VOICES; i++) {
      const t = Math.floor(i / VOICES), v = i % VOICES;
      const wrong = parallelPitches(cells, t, v);
      if (!free[i] || !wrong[sounding(cells[i])]) continue;
      const hidden = new Uint8Array(T * VOICES);
      hidden[i] = 1;
      const { logits } = this.scaledLogits(cells, hidden, settings)[v];
      for (let k = 0; k < CELLS; k++) if (wrong[sounding(k)]) logits[k] = -Infinity;
      cells[i] = inverseCdf(logits, 0, CELLS, uniforms(seed, i, sweeps)[1]);
      yield { sweep: sweeps - 1, cells, hidden };
    }
  }
}

// Which pitches of a cell move in parallel fifths, octaves or unisons from the 8th before or to the one after.
export function parallelPitches(cells, t, v) {
  const T = cells.length / VOICES, wrong = new Uint8Array(PITCHES + 1);
  const pitch = (step, voice) => (step < 0 || step >= T ? 0 : sounding(cells[step * VOICES + voice]));
  for (const beside of [t - 1, t + 1]) {
    const own = pitch(beside, v);
    for (let w = 0; w < VOICES; w++) {
      const was = pitch(beside, w), now = pitch(t, w), interval = Math.abs(was - own) % 12;
      if (w === v || !own || !was || !now || (interval !== 0 && interval !== 7)) continue;
      for (let k = 1; k <= PITCHES; k++) {
        if (Math.abs(now - k) % 12 === interval && (k - own) * (now - was) > 0) wrong[k] = 1;
      }
    }
  }
  return wrong;
}

// x (T, d) divided by its root mean square, times 1 + scale.
function normalise(x, scale, T, d, out) {
  for (let t = 0; t < T; t++) {
    let squares = 0;
    for (let k = t * d; k < (t + 1) * d; k++) squares += x[k] * x[k];
    const factor = 1 / Math.sqrt(squares / d + 1e-6);
    for (let k = 0; k < d; k++) out[t * d + k] = x[t * d + k] * factor * (1 + scale[k]);
  }
}

// Metre and fermatas of each 8th, (T, 6), as musiclab.data.encodings.cells.encode_form. All lengths are in 8ths;
// beat: 8ths in the metre's beat, 2 in 4/4. fermatas: the 8ths on which one stands.
export function encodeForm(T, { bar = 8, beat = 2, pickup = 0, fermatas = [] } = {}) {
  const form = new Int32Array(T * 6), marked = [...new Set(fermatas)].sort((a, b) => a - b);
  const last = marked.length > 1 ? marked[marked.length - 2] + 1 : 0, none = FORM_SIZES[4] - 1;
  for (let t = 0; t < T; t++) {
    const place = (((t - pickup) % bar) + bar) % bar, next = marked.find((one) => one >= t);
    const ahead = next === undefined || next - t >= none ? none : next - t;
    form.set([(((t - pickup) % 2) + 2) % 2, Math.min(Math.floor(place / beat), FORM_SIZES[1] - 1), place ? 0 : 1,
      marked.includes(t) ? 1 : 0, ahead, t >= last ? ahead : FORM_SIZES[5] - 1], t * 6);
  }
  return form;
}

// Notes [start, pitch, length] of one voice into cells (T, 4).
export function putVoice(cells, voice, notes) {
  for (let i = voice; i < cells.length; i += VOICES) cells[i] = 0;
  for (const [start, pitch, length] of notes) {
    for (let t = start; t < start + length; t++) cells[t * VOICES + voice] = pitch - LOW + 1 + (t === start ? PITCHES : 0);
  }
  return cells;
}

// Cells to notes [start, pitch, length] of each voice; a held cell after another pitch is struck.
export function toNotes(cells) {
  const voices = [[], [], [], []];
  for (let i = 0; i < cells.length; i++) {
    const t = Math.floor(i / VOICES), notes = voices[i % VOICES], cell = cells[i];
    if (!cell) continue;
    const pitch = sounding(cell) + LOW - 1, last = notes[notes.length - 1];
    if (cell <= PITCHES && last && last[0] + last[2] === t && last[1] === pitch) last[2]++;
    else notes.push([t, pitch, 1]);
  }
  return voices;
}
