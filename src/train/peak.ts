/** What the device could do at best, in FLOPs a second: what MFU is measured against. */
import { FLOAT32_CPU, gpu, linear, type Machine, Scope, Tensor } from "../torch/mod.ts";

/** FLOPs a second, null: not known; and a line for a reader. */
export interface Peak {
  readonly flops: number | null;
  readonly inWords: string;
}

/** Dense bf16 products of tensor cores in TFLOPs a second, by a part of the name; from the makers' data sheets. */
const GPUS: readonly [name: RegExp, teraflops: number][] = [
  [/\bGB200\b/, 2500],
  [/\bB200\b/, 2250],
  [/\bH100 NVL\b/, 835],
  [/\bH100 PCIe\b/, 756],
  [/\b(GH200|H100|H200|H800)\b/, 989],
  [/\b(A100|A800)\b/, 312],
  [/\bL40S\b/, 362],
  [/\b(L40|RTX 6000 Ada)\b/, 181],
  [/\bA40\b/, 150],
  [/\bA10\b/, 125],
  [/\bL4\b/, 121],
  [/\bRTX 4090$/, 165],
  [/\bRTX 3090$/, 71],
];

/** A GPU's figure by its name; on the CPU a product of matrices is timed (some hundredths of a second). */
export function peakOf({ device, threads }: Machine): Peak {
  if (device === "cpu") {
    const flops = measure();
    const where = threads === 1 ? "1 thread" : `${threads} threads`;
    const shown = `${(flops / 1e9).toFixed(0)} GFLOP/s`;
    return { flops, inWords: `MFU: of ${shown}, measured now (float32 product of matrices, ${where})` };
  }
  const { name } = gpu(device);
  const teraflops = peakOfGpu(name);
  if (teraflops === null) return { flops: null, inWords: `MFU: not given, the peak of ${name} is not known` };
  return { flops: teraflops * 1e12, inWords: `MFU: of ${teraflops} TFLOP/s (bf16, ${name})` };
}

/**
 * The peak, told anew where a training computes faster than it: then it was measured while the machine was busy.
 *
 * @param achieved FLOPs a second.
 */
export function revised(peak: Peak, machine: Machine, achieved: number): Peak {
  if (machine.device !== "cpu" || peak.flops === null || achieved <= peak.flops) return peak;
  const again = peakOf(machine);
  return again.flops! >= achieved ? again : { ...again, flops: null };
}

/** By the name that the driver gives a GPU, in TFLOPs a second; null: not known. */
export function peakOfGpu(name: string): number | null {
  return GPUS.find(([pattern]) => pattern.test(name))?.[1] ?? null;
}

/** Rows and columns of the matrices that are multiplied. */
const SIZE = 512;
/** Most products, and most milliseconds that they take together. */
const TIMES = 6, PATIENCE = 60;

/** The fastest of a few products, made as a model's are; on a busy machine it is still too low. */
function measure(): number {
  using _scope = new Scope();
  const [a, b] = [1, 2].map((seed) => Tensor.zeros([SIZE, SIZE], FLOAT32_CPU).normal_(1, seed));
  let best = Infinity;
  const begun = performance.now();
  for (let i = 0; i < TIMES && performance.now() < begun + PATIENCE; i++) {
    using _product = new Scope();
    const started = performance.now();
    linear(a!, b!);
    best = Math.min(best, (performance.now() - started) / 1000);
  }
  return 2 * SIZE ** 3 / best;
}
