// The decoder of musiclab.models.autoencoders.vae: a code to two bars of four voices.
export const STEPS = 32, VOICES = 4, LOW = 36, PITCHES = 49; // a rest and 48 pitches
const QUARTERS = 8, EPSILON = 1e-3; // of the layer normalisation

function dense(x, kernel, bias, relu) {
  const out = Float64Array.from(bias), size = bias.length;
  for (let i = 0; i < x.length; i++) {
    if (x[i]) for (let j = 0; j < size; j++) out[j] += x[i] * kernel[i * size + j];
  }
  return relu ? out.map((a) => Math.max(a, 0)) : out;
}

// Logits (STEPS, VOICES, PITCHES + 1) of a code: pitch, and onset last.
export function logits({ arrays: w }, code) {
  let h = dense(code, w.kernel0, w.bias0, true);
  const mean = h.reduce((a, b) => a + b) / h.length;
  const variance = h.reduce((a, b) => a + (b - mean) ** 2, 0) / h.length;
  h = h.map((a, i) => ((a - mean) / Math.sqrt(variance + EPSILON)) * w.scale[i] + w.offset[i]);
  h = dense(h, w.kernel1, w.bias1, true);
  const size = h.length / QUARTERS, out = [];
  for (let q = 0; q < QUARTERS; q++) out.push(...dense(h.subarray(q * size, (q + 1) * size), w.kernel2, w.bias2, false));
  return out;
}

// The most likely notes of each voice, [start, pitch, length] in 16ths.
export function decode(weights, code) {
  const all = logits(weights, code), voices = [[], [], [], []], size = PITCHES + 1;
  for (let t = 0; t < STEPS; t++) {
    for (let v = 0; v < VOICES; v++) {
      const at = (t * VOICES + v) * size;
      let pitch = 0;
      for (let k = 1; k < PITCHES; k++) if (all[at + k] > all[at + pitch]) pitch = k;
      if (!pitch) continue;
      const notes = voices[v], last = notes[notes.length - 1], sounds = pitch + LOW - 1;
      if (all[at + PITCHES] <= 0 && last && last[0] + last[2] === t && last[1] === sounds) last[2]++;
      else notes.push([t, sounds, 1]);
    }
  }
  return voices;
}
