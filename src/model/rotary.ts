/** The tables of rotary positions. */
import { type Device, Tensor } from "../torch/mod.ts";
import type { ModelShape } from "./shape.ts";

/** cos and sin of the rotary angles, each (positions, W / 2). */
export interface Rotary {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/** Angles t * theta^(-2j / W) for every position t (Su et al. 2021), worked out in double precision. */
export function rotaryTables({ context, headWidth, rope_theta }: ModelShape, device: Device): Rotary {
  const half = headWidth / 2;
  const table = (wave: (angle: number) => number) => {
    const values = Float32Array.from(
      { length: context * half },
      (_, n) => wave(Math.floor(n / half) * rope_theta ** (-2 * (n % half) / headWidth)),
    );
    using onCpu = Tensor.from(values, [context, half]);
    return onCpu.to("float32", device);
  };
  return { cos: table(Math.cos), sin: table(Math.sin) };
}
