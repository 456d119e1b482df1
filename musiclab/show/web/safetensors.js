// Reads a weights file in the safetensors layout: the header's length, a JSON header, then the numbers.

// An IEEE 754 half-precision number from its 16 bits.
export function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

// An ArrayBuffer to {arrays: Float32Array by name, shapes: by name, metadata: text by name}.
export function read(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const found = { arrays: {}, shapes: {}, metadata: header.__metadata__ ?? {} };
  delete header.__metadata__;
  for (const [name, { dtype, shape, data_offsets: [from, to] }] of Object.entries(header)) {
    const bytes = buffer.slice(8 + length + from, 8 + length + to);
    if (dtype === "F32") found.arrays[name] = new Float32Array(bytes);
    else if (dtype === "F16") found.arrays[name] = Float32Array.from(new Uint16Array(bytes), half);
    else throw new Error(`${name} is stored as ${dtype}: only F16 and F32 are read`);
    found.shapes[name] = shape;
  }
  return found;
}

export async function load(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: the server answered ${answer.status}`);
  return read(await answer.arrayBuffer());
}
