// Counter-based random numbers and draws by inverse CDF, bit for bit those of musiclab.sampling.counter_based.
const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24];
const PARITY = 0x1bd11bda;

// Threefry-2x32 with 20 rounds: two keys and two counters to two 32-bit words (Salmon and others 2011).
export function threefry(k0, k1, c0, c1) {
  const keys = [k0 | 0, k1 | 0, PARITY ^ k0 ^ k1];
  let a = (c0 + keys[0]) | 0, b = (c1 + keys[1]) | 0;
  for (let round = 0; round < 20; round++) {
    const turn = ROTATIONS[round % 8];
    a = (a + b) | 0;
    b = ((b << turn) | (b >>> (32 - turn))) ^ a;
    if (round % 4 === 3) {
      const i = (round >> 2) + 1;
      a = (a + keys[i % 3]) | 0;
      b = (b + keys[(i + 1) % 3] + i) | 0;
    }
  }
  return [a >>> 0, b >>> 0];
}

// Two uniform numbers, 0 <= u < 1, of a seed, a stream and two counters.
export function uniforms(seed, first, second, stream = 0) {
  return threefry(seed, stream, first, second).map((word) => word / 2 ** 32);
}

// Draws from softmax of logits[from .. from + size - 1] in doubles: the first k with F(k) > u.
export function inverseCdf(logits, from, size, u) {
  let top = -Infinity, sum = 0;
  for (let k = 0; k < size; k++) top = Math.max(top, logits[from + k]);
  const cumulated = new Float64Array(size);
  for (let k = 0; k < size; k++) cumulated[k] = sum += Math.exp(logits[from + k] - top);
  let k = 0;
  while (k < size - 1 && cumulated[k] <= u * sum) k++;
  return k;
}
