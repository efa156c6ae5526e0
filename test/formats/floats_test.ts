/** Proves the conversions of tensor elements against the formats' definitions, number by number. */
import assert from "node:assert/strict";
import { toBfloat16, toFloat32 } from "../../src/formats/floats.ts";

const bytesOf = (...halves: number[]) => new Uint8Array(Uint16Array.from(halves).buffer);

/** 16 bits by the definition of a float with so many bits of exponent and mantissa. */
function valueOf(half: number, exponentBits: number): number {
  const mantissaBits = 15 - exponentBits;
  const sign = half >> 15 ? -1 : 1;
  const exponent = (half >> mantissaBits) & (2 ** exponentBits - 1);
  const mantissa = (half & (2 ** mantissaBits - 1)) / 2 ** mantissaBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1) return mantissa === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * mantissa * 2 ** (1 - bias) : sign * (1 + mantissa) * 2 ** (exponent - bias);
}

Deno.test("toFloat32() gives every bfloat16 and float16 exactly", () => {
  const all = Array.from({ length: 2 ** 16 }, (_, i) => i);
  for (const [type, exponentBits] of [["BF16", 8], ["F16", 5]] as const) {
    const values = toFloat32(bytesOf(...all), type);
    for (const half of all) {
      assert.ok(Object.is(values[half], valueOf(half, exponentBits)), `${type} ${half}`);
    }
  }
  const floats = Float32Array.of(1.5, -0, 1e-40);
  assert.deepEqual(toFloat32(new Uint8Array(floats.buffer), "F32"), floats);
});

Deno.test("toBfloat16() gives the nearest bfloat16, the even one of two, and keeps what is one", () => {
  const all = Array.from({ length: 2 ** 16 }, (_, i) => i).filter((half) => !Number.isNaN(valueOf(half, 8)));
  assert.deepEqual(toBfloat16(toFloat32(bytesOf(...all), "BF16")), bytesOf(...all));
  const [unit, step] = [1, 2 ** -7];
  const inexact = Float32Array.of(
    unit + step / 2,
    unit + 1.5 * step,
    unit + 0.51 * step,
    -unit - 0.49 * step,
    3.4e38,
  );
  const expected = [unit, unit + 2 * step, unit + step, -unit, Infinity];
  assert.deepEqual([...toFloat32(toBfloat16(inexact) as Uint8Array<ArrayBuffer>, "BF16")], expected);
  assert.ok(Number.isNaN(toFloat32(toBfloat16(Float32Array.of(NaN)) as Uint8Array<ArrayBuffer>, "BF16")[0]));
});
