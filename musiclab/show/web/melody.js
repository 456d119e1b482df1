// The melody network of musiclab.models.recurrent.melody_model with LSTM layers, one note at a time.
import { inverseCdf, uniforms } from "./random.js";

const UNIFORM_SHARE = 1e-3;
const sigmoid = (x) => 1 / (1 + Math.exp(-x));

export class MelodyNetwork {
  constructor({ arrays, shapes, metadata }) {
    this.w = arrays;
    this.notes = JSON.parse(metadata.notes); // [pitch, length in 16ths]
    this.layers = Number(metadata.layers);
    this.units = shapes.recurrent0[0];
    this.inputs = shapes.features[1];
    this.symbols = this.notes.length + 2; // and END, UNKNOWN; START only comes first
    this.end = this.notes.length;
  }

  initialState() {
    return Array.from({ length: this.layers }, () => ({ h: new Float64Array(this.units), c: new Float64Array(this.units) }));
  }

  // ln p of the next symbol, after a symbol; changes the state.
  step(state, symbol) {
    const { w, units, inputs, symbols } = this;
    let x = w.features.subarray(symbol * inputs, (symbol + 1) * inputs);
    const multiply = (vector, matrix, columns, out) => {
      for (let i = 0; i < vector.length; i++) {
        if (vector[i]) for (let j = 0; j < columns; j++) out[j] += vector[i] * matrix[i * columns + j];
      }
      return out;
    };
    state.forEach((memory, layer) => {
      const z = Float64Array.from(w[`bias${layer}`]), h = new Float64Array(units);
      multiply(x, w[`kernel${layer}`], 4 * units, z);
      multiply(memory.h, w[`recurrent${layer}`], 4 * units, z);
      for (let i = 0; i < units; i++) {
        const candidate = Math.tanh(z[2 * units + i]);
        memory.c[i] = sigmoid(z[units + i]) * memory.c[i] + sigmoid(z[i]) * candidate;
        h[i] = sigmoid(z[3 * units + i]) * Math.tanh(memory.c[i]);
      }
      memory.h = x = h;
    });
    const logits = multiply(x, w.symbolKernel, symbols, Float64Array.from(w.symbolBias));
    const shared = multiply(x, w.featureKernel, inputs, new Float64Array(inputs));
    for (let k = 0; k < symbols; k++) {
      for (let j = 0; j < inputs; j++) logits[k] += shared[j] * w.features[k * inputs + j];
    }
    const top = Math.max(...logits), p = logits.map((logit) => Math.exp(logit - top));
    const sum = p.reduce((a, b) => a + b);
    return p.map((one) => Math.log(((1 - UNIFORM_SHARE) * one) / sum + UNIFORM_SHARE / symbols));
  }

  // The note's number; a note that the network does not know becomes UNKNOWN.
  indexOf([pitch, length]) {
    const found = this.notes.findIndex(([p, l]) => p === pitch && l === length);
    return found < 0 ? this.end + 1 : found;
  }

  // Notes [pitch, length] that continue a melody, until END or the limit in 16ths.
  continueMelody(opening, { seed = 1, temperature = 0.8, most = 128 } = {}) {
    const state = this.initialState(), found = [];
    let logP = this.step(state, this.symbols), written = 0;
    for (const note of opening) logP = this.step(state, this.indexOf(note));
    while (written < most) {
      const logits = logP.map((one, k) => (k === this.end + 1 ? -Infinity : one / temperature));
      const symbol = inverseCdf(logits, 0, this.symbols, uniforms(seed, found.length, 0)[0]);
      if (symbol === this.end) break;
      found.push(this.notes[symbol]);
      written += this.notes[symbol][1];
      logP = this.step(state, symbol);
    }
    return found;
  }
}
