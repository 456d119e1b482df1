// Matrix products in float32: 619 bytes of WebAssembly with SIMD (matmul.wat), or plain JavaScript where a browser lacks it.
const CODE = [
  "AGFzbQEAAAABCgFgBn9/f39/fwADAgEABQMBAEAHDwIGbWVtb3J5AgACbW0AAAq6BAG3BAIHfwt7IAJBBGwhCgNAQQAhBwNA/QwA",
  "AAAAAAAAAAAAAAAAAAAAIRD9DAAAAAAAAAAAAAAAAAAAAAAhEf0MAAAAAAAAAAAAAAAAAAAAACES/QwAAAAAAAAAAAAAAAAAAAAA",
  "IRP9DAAAAAAAAAAAAAAAAAAAAAAhFP0MAAAAAAAAAAAAAAAAAAAAACEV/QwAAAAAAAAAAAAAAAAAAAAAIRb9DAAAAAAAAAAAAAAA",
  "AAAAAAAhFyAAIAcgCmxqIQsgAyAGIAJBIGxsaiEJQQAhCANAIAn9AAQAIQ0gCf0ABBAhDiALIApBAGxq/QkCACEPIBAgDyAN/eYB",
  "/eQBIRAgESAPIA795gH95AEhESALIApBAWxq/QkCACEPIBIgDyAN/eYB/eQBIRIgEyAPIA795gH95AEhEyALIApBAmxq/QkCACEP",
  "IBQgDyAN/eYB/eQBIRQgFSAPIA795gH95AEhFSALIApBA2xq/QkCACEPIBYgDyAN/eYB/eQBIRYgFyAPIA795gH95AEhFyALQQRq",
  "IQsgCUEgaiEJIAhBAWoiCCACSQ0ACyAFQSAgByAEbCAGamxqIQwgDCAQ/QsEACAMIBH9CwQQIAxBICAEbGohDCAMIBL9CwQAIAwg",
  "E/0LBBAgDEEgIARsaiEMIAwgFP0LBAAgDCAV/QsEECAMQSAgBGxqIQwgDCAW/QsEACAMIBf9CwQQIAxBICAEbGohDCAHQQRqIgcg",
  "AUkNAAsgBkEBaiIGIARJDQALCw==",
].join("");

// Products (rows, K) @ (K, N) with weights that are put in once; `rows` is the largest number of rows.
export async function products(rows, widest, { simd = true } = {}) {
  if (simd) {
    try {
      const bytes = Uint8Array.from(atob(CODE), (c) => c.charCodeAt(0));
      const { instance } = await WebAssembly.instantiate(bytes);
      return new SimdProducts(instance.exports, rows, widest);
    } catch (error) {
      if (!(error instanceof WebAssembly.CompileError)) throw error;
    }
  }
  return new PlainProducts();
}

class PlainProducts {
  name = "plain JavaScript";

  put(weights, K, N) {
    return { weights, K, N };
  }

  multiply(a, rows, { weights, K, N }, out) {
    const sums = new Float64Array(N);
    for (let i = 0; i < rows; i++) {
      sums.fill(0);
      for (let k = 0; k < K; k++) {
        const x = a[i * K + k];
        if (x) for (let j = 0, w = k * N; j < N; j++, w++) sums[j] += x * weights[w];
      }
      out.set(sums, i * N);
    }
  }
}

class SimdProducts {
  name = "WebAssembly";

  constructor({ mm, memory }, rows, widest) {
    Object.assign(this, { mm, memory, top: 0, rows });
    this.input = this.reserve((rows + 3) * widest * 4);
    this.output = this.reserve((rows + 3) * (widest + 8) * 4);
  }

  reserve(bytes) {
    const at = this.top;
    this.top += (bytes + 15) & ~15;
    const missing = this.top - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / 65536));
    return at;
  }

  // weights (K, N) in panels of eight columns, the last filled up with zeros
  put(weights, K, N) {
    const panels = Math.ceil(N / 8), at = this.reserve(panels * K * 32);
    const packed = new Float32Array(this.memory.buffer, at, panels * K * 8);
    for (let k = 0; k < K; k++) {
      for (let j = 0; j < N; j++) packed[((j >> 3) * K + k) * 8 + (j & 7)] = weights[k * N + j];
    }
    return { at, K, N, panels };
  }

  multiply(a, rows, { at, K, N, panels }, out) {
    if (rows > this.rows) throw new Error(`${rows} rows: room was made for ${this.rows}`);
    new Float32Array(this.memory.buffer, this.input, rows * K).set(a.subarray(0, rows * K));
    this.mm(this.input, (rows + 3) & ~3, K, at, panels, this.output);
    const wide = panels * 8, result = new Float32Array(this.memory.buffer, this.output, rows * wide);
    for (let i = 0; i < rows; i++) out.set(result.subarray(i * wide, i * wide + N), i * N);
  }
}
