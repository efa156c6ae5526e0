/** Elements of tensor files as float32 and back. */

/** Types that {@link toFloat32} reads. */
export const FLOATS = ["F32", "BF16", "F16"] as const;
export type FloatType = (typeof FLOATS)[number];

/** Little-endian elements of a type as float32, exactly; float32 itself is not copied. */
export function toFloat32(bytes: Uint8Array<ArrayBuffer>, type: FloatType): Float32Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = bytes;
  switch (type) {
    case "F32":
      return new Float32Array(buffer, byteOffset, byteLength / 4);
    case "F16":
      return Float32Array.from(new Float16Array(buffer, byteOffset, byteLength / 2));
    case "BF16": {
      const halves = new Uint16Array(buffer, byteOffset, byteLength / 2);
      const words = new Uint32Array(halves.length);
      for (let i = 0; i < halves.length; i++) words[i] = halves[i]! << 16;
      return new Float32Array(words.buffer);
    }
  }
}

/** The nearest bfloat16 of each number, the even one of two: its upper half, rounded. Not a number stays one. */
export function toBfloat16(values: Float32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(words.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const rounded = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
    halves[i] = (word & 0x7fffffff) > 0x7f800000 ? (word >>> 16) | 0x40 : rounded;
  }
  return new Uint8Array(halves.buffer);
}
