/** Models that compute in microseconds, with parameters that Python can make as well: see plain_model.py. */
import { type ModelOptions, MtpModel, type Sequences } from "../../src/model/mod.ts";
import { Tensor } from "../../src/torch/mod.ts";
import { withFfi } from "../support.ts";
import { withThreads } from "../torch/compare.ts";

/** What a test may change of {@link tinyOptions}. */
export type Changes = Partial<Omit<ModelOptions, "heads">> & { readonly K?: number };

/** Two blocks, grouped queries, three heads; no two sizes are equal. */
export function tinyOptions({ K = 3, ...changes }: Changes = {}): ModelOptions {
  return {
    vocab: 23,
    width: 16,
    layers: 2,
    attention_heads: 4,
    kv_heads: 2,
    ffn: 20,
    context: 12,
    rope_theta: 100, // so that positions matter within a short context
    norm_eps: 1e-5,
    tied: false,
    heads: { kind: "linear", count: K },
    ...changes,
  };
}

/** A model whose gradients and logits are of size 1: random weights as they start out give logits close to 0. */
export function tinyModel(changes: Changes = {}): MtpModel {
  return withNoise(new MtpModel(tinyOptions(changes), 1, "cpu"));
}

/** Matrices get noise from -1/2 to 1/2, norms 1 plus a quarter of it; float32 holds all of it exactly. */
export function withNoise(model: MtpModel): MtpModel {
  for (const [name, tensor] of model.parameters.entries()) {
    const isMatrix = tensor.shape.length > 1;
    const values = Float32Array.from(
      { length: tensor.size },
      (_, i) => isMatrix ? noise(name, i) * 0.5 : 1 + noise(name, i) * 0.25,
    );
    tensor.copyBytes_(new Uint8Array(values.buffer));
  }
  return model;
}

/** A number from -1 to 1 that float32 holds exactly. plain_model.py has the same function. */
export function noise(name: string, index: number): number {
  let x = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(`${name}/${index}`)) x = Math.imul(x ^ byte, 0x01000193);
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x >>> 8) / 2 ** 23 - 1;
}

/** `count` ids that a name decides. */
export const someIds = (name: string, count: number, vocab: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.floor((noise(name, i) + 1) / 2 * vocab));

/** Ids (B, T) and targets (K, B, T) in plain numbers; a target below 0 is none. */
export interface PlainSequences {
  readonly ids: number[][];
  readonly targets: number[][][];
}

/** `rows` full sequences for a model; about one target in six is missing, more for one head than for another. */
export function someSequences(
  { vocab, context, heads }: ModelOptions,
  rows: number,
  name = "x",
): PlainSequences {
  const row = (what: string) => someIds(`${name}/${what}`, context, vocab);
  const withHoles = (ids: number[], k: number) => ids.map((id, t) => (t + k) % (k + 5) === 4 ? -1 : id);
  return {
    ids: Array.from({ length: rows }, (_, b) => row(`ids/${b}`)),
    targets: Array.from(
      { length: heads.count },
      (_, k) => Array.from({ length: rows }, (_, b) => withHoles(row(`targets/${k}/${b}`), k)),
    ),
  };
}

/** The same as tensors, which belong to the scope around the call. */
export function tensorsOf({ ids, targets }: PlainSequences): Sequences {
  const [rows, length] = [ids.length, ids[0]!.length];
  return {
    inputs: Tensor.ids(ids.flat(), [rows, length]),
    targets: Tensor.ids(targets.flat(2), [targets.length, rows, length]),
  };
}

/** Valid targets of each head. */
export const countsOf = ({ targets }: PlainSequences): number[] =>
  targets.map((head) => head.flat().filter((id) => id >= 0).length);

/** Copies of all gradients by parameter, as numbers; null where there is none. */
export function gradientsOf(model: MtpModel): Map<string, number[] | null> {
  return new Map(
    model.parameters.entries().map(([name, tensor]) => {
      if (!tensor.hasGrad) return [name, null];
      using gradient = tensor.grad;
      return [name, gradient.toArray()];
    }),
  );
}

/** A test whose ops are so small that to wake a second thread, on a busy machine, takes longer than all of them. */
export function withOneThread(name: string, body: () => void): void {
  withFfi(name, () => withThreads(1, body));
}
