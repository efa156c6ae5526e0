/**
 * In which numbers a run computes, chosen once at its start. Parameters, their gradients and the optimizer's state are
 * float32 everywhere. `bf16`: activations and the factors of matrix products are bfloat16, each weight being rounded where
 * it is used; norms, softmax and the cross entropy are summed in float32, and so are products, but for the partial sums
 * into which a GPU's library may split a long one. `fp32` is IEEE float32 on every device: TensorFloat-32 stays off.
 */
import type { TrainSettings } from "../config/schema.ts";
import { type Device, gpu } from "../torch/mod.ts";

export interface Precision {
  readonly compute: "float32" | "bfloat16";
  /** Which and why, for a reader. */
  readonly inWords: string;
}

/** The first GPUs with bfloat16 arithmetic, NVIDIA's Ampere, have compute capability 8.0. */
const HAS_BF16 = 8;

/** @throws {TorchError} when the driver does not know the GPU. */
export function choosePrecision(wanted: TrainSettings["precision"], device: Device): Precision {
  if (wanted === "bf16") return bf16("asked for");
  if (device === "cpu") return fp32(wanted === "fp32" ? "asked for" : "cpu");
  if (wanted === "fp32") return fp32("asked for", ", TF32 off");
  const { name, major } = gpu(device);
  return major >= HAS_BF16 ? bf16(`${name} has it`) : fp32(`${name} has no bf16`, ", TF32 off");
}

const fp32 = (why: string, more = ""): Precision => ({
  compute: "float32",
  inWords: `precision: fp32 (${why})${more}`,
});
const bf16 = (why: string): Precision => ({
  compute: "bfloat16",
  inWords: `precision: bf16 (${why}), float32 weights and optimizer state`,
});
