// The GAN of musiclab.models.adversarial.ring_gan, trained in the page: points in the plane, eight modes on a ring.
const LATENT = 2, UNITS = 64, BATCH = 64, SPREAD = 0.05, RATE = 1e-3, MOMENTUM = 0.5;

// A seeded generator (mulberry32) and normal numbers by Box and Muller's method.
function generator(seed) {
  let state = seed | 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

// Two hidden layers of 64 ReLU units, with Adam.
class Network {
  constructor(outputs, random) {
    this.sizes = [2, UNITS, UNITS, outputs];
    this.layers = [0, 1, 2].map((l) => {
      const [n, m] = [this.sizes[l], this.sizes[l + 1]], limit = Math.sqrt(6 / (n + m));
      const w = Float32Array.from({ length: n * m }, () => (2 * random.uniform() - 1) * limit);
      const make = (size) => new Float32Array(size);
      return { n, m, w, b: make(m), dw: make(n * m), db: make(m), mw: make(n * m), vw: make(n * m), mb: make(m), vb: make(m) };
    });
    this.steps = 0;
  }

  // x (2) to the output; keeps the hidden units for backward.
  forward(x) {
    this.h = [x];
    for (const [l, { n, m, w, b }] of this.layers.entries()) {
      const input = this.h[l], out = Float32Array.from(b);
      for (let i = 0; i < n; i++) if (input[i]) for (let j = 0; j < m; j++) out[j] += input[i] * w[i * m + j];
      if (l < 2) for (let j = 0; j < m; j++) if (out[j] < 0) out[j] = 0;
      this.h.push(out);
    }
    return this.h[3];
  }

  // The gradient at the output to that at the input; adds up those of the weights where `learn`.
  backward(gradient, learn = true) {
    for (let l = 2; l >= 0; l--) {
      const { n, m, w, dw, db } = this.layers[l], input = this.h[l], below = new Float32Array(n);
      for (let j = 0; j < m; j++) if (learn) db[j] += gradient[j];
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let j = 0; j < m; j++) {
          sum += gradient[j] * w[i * m + j];
          if (learn) dw[i * m + j] += input[i] * gradient[j];
        }
        below[i] = l === 0 || input[i] > 0 ? sum : 0;
      }
      gradient = below;
    }
    return gradient;
  }

  // Adds the weights' gradient of (weight / 2) |gradient of the output with respect to x|^2 at the point of the last forward.
  penalise(weight) {
    const [first, second, third] = this.layers, [, h1, h2] = this.h;
    const a2 = third.w.map((one, i) => (h2[i] > 0 ? one : 0)), a1 = new Float32Array(UNITS), g = [0, 0];
    for (let i = 0; i < UNITS; i++) {
      if (h1[i] > 0) for (let j = 0; j < UNITS; j++) a1[i] += second.w[i * UNITS + j] * a2[j];
      for (let k = 0; k < 2; k++) g[k] += first.w[k * UNITS + i] * a1[i];
    }
    const b1 = new Float32Array(UNITS), b2 = new Float32Array(UNITS);
    for (let i = 0; i < UNITS; i++) {
      for (let k = 0; k < 2; k++) {
        first.dw[k * UNITS + i] += weight * g[k] * a1[i];
        if (h1[i] > 0) b1[i] += weight * g[k] * first.w[k * UNITS + i];
      }
      for (let j = 0; j < UNITS; j++) {
        second.dw[i * UNITS + j] += b1[i] * a2[j];
        b2[j] += b1[i] * second.w[i * UNITS + j];
      }
    }
    for (let j = 0; j < UNITS; j++) if (h2[j] > 0) third.dw[j] += b2[j];
    return g;
  }

  // One step of Adam, after which the gradients are zero.
  update() {
    const t = ++this.steps, rate = (RATE * Math.sqrt(1 - 0.999 ** t)) / (1 - MOMENTUM ** t);
    for (const { w, b, dw, db, mw, vw, mb, vb } of this.layers) {
      for (const [x, d, m, v] of [[w, dw, mw, vw], [b, db, mb, vb]]) {
        for (let i = 0; i < x.length; i++) {
          m[i] = MOMENTUM * m[i] + (1 - MOMENTUM) * d[i];
          v[i] = 0.999 * v[i] + 0.001 * d[i] * d[i];
          x[i] -= (rate * m[i]) / (Math.sqrt(v[i]) + 1e-7);
          d[i] = 0;
        }
      }
    }
  }
}

export class RingGAN {
  constructor({ seed = 1, loss = "non_saturating", r1 = 0 } = {}) {
    this.random = generator(seed);
    Object.assign(this, { loss, r1, steps: 0 });
    this.generator = new Network(2, this.random);
    this.discriminator = new Network(1, this.random);
  }

  real() {
    const angle = (Math.floor(this.random.uniform() * 8) * Math.PI) / 4;
    return [Math.cos(angle) + SPREAD * this.random.normal(), Math.sin(angle) + SPREAD * this.random.normal()];
  }

  fake() {
    return this.generator.forward(Float32Array.from({ length: LATENT }, this.random.normal));
  }

  // One update of the discriminator, then one of the generator.
  train() {
    const D = this.discriminator, G = this.generator;
    for (let i = 0; i < BATCH; i++) {
      let p = sigmoid(D.forward(Float32Array.from(this.real()))[0]);
      D.backward([(p - 1) / BATCH]); // of -ln D(x)
      if (this.r1) D.penalise((2 * this.r1) / BATCH);
      p = sigmoid(D.forward(this.fake())[0]);
      D.backward([p / BATCH]); // of -ln(1 - D(G(z)))
    }
    D.update();
    for (let i = 0; i < BATCH; i++) {
      const p = sigmoid(D.forward(this.fake())[0]);
      const slope = this.loss === "minimax" ? -p : p - 1; // of ln(1 - D(G(z))) or -ln D(G(z))
      G.backward(D.backward([slope / BATCH], false));
    }
    G.update();
    this.steps++;
  }

  // How probable the discriminator finds it that a point is real.
  sees(x, y) {
    return sigmoid(this.discriminator.forward(Float32Array.of(x, y))[0]);
  }

  // Number of modes with at least 2% of the points within three standard deviations.
  static modesCovered(points) {
    let covered = 0;
    for (let k = 0; k < 8; k++) {
      const x = Math.cos((k * Math.PI) / 4), y = Math.sin((k * Math.PI) / 4);
      const near = points.filter(([a, b]) => Math.hypot(a - x, b - y) <= 3 * SPREAD).length;
      if (near >= 0.02 * points.length) covered++;
    }
    return covered;
  }
}
