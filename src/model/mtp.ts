/**
 * The multi-token prediction model: a Llama-style trunk and K heads on its output. Head i (from 1) at position t
 * predicts token t + i; head 1 is the next-token head. What a block does stands in block.ts, what each kind of head
 * does in heads/.
 *
 *     text       t h e   c a t          head 1 at "e" predicts " "
 *     position   0 1 2 3 4 5 6          head 2 at "e" predicts "c"
 *                                       head 3 at "e" predicts "a"
 *
 * Shape suffixes as in block.ts; V vocabulary, K heads, P = B * T positions.
 */
import {
  type Device,
  embedding,
  type Kernels,
  linearNll,
  noGrad,
  rmsNorm,
  Scope,
  scoped,
  Tensor,
  treeAttention,
} from "../torch/mod.ts";
import { type Attend, Block } from "./block.ts";
import { Decoder } from "./decoder.ts";
import {
  type BackwardOptions,
  type Heads,
  type HeadScores,
  INITIAL_STD,
  type Lent,
  type Sequences,
} from "./heads/heads.ts";
import { linearHeads } from "./heads/linear.ts";
import { residualHeads } from "./heads/residual.ts";
import { sequentialHeads } from "./heads/sequential.ts";
import { transformerHeads } from "./heads/transformer.ts";
import type { TokenTree } from "./tree.ts";
import { Parameters } from "./parameters.ts";
import { type Rotary, rotaryTables } from "./rotary.ts";
import { type HeadKind, type ModelOptions, type ModelShape, shapeOf } from "./shape.ts";

const KINDS: Record<HeadKind, (lent: Lent) => Heads> = {
  linear: linearHeads,
  transformer: transformerHeads,
  residual: residualHeads,
  sequential: sequentialHeads,
};

export class MtpModel implements Disposable {
  readonly shape: ModelShape;
  readonly parameters: Parameters;
  readonly #embedding: Tensor; // (V, D)
  readonly #blocks: readonly Block[];
  readonly #norm: Tensor; // (D)
  readonly #heads: Heads;
  readonly #rotary: Rotary;
  readonly #lent: Lent;

  /**
   * Makes a model with random weights, which depend on nothing but the seed and each parameter's name and shape: arms
   * of a comparison share the trunk's whatever their K.
   *
   * @param compute Type of the activations of whole sequences; parameters and decoding are float32.
   * @throws {RangeError} naming the constraint that the sizes break.
   */
  constructor(
    readonly options: ModelOptions,
    seed: number,
    readonly device: Device,
    readonly compute: "float32" | "bfloat16" = "float32",
  ) {
    const shape = this.shape = shapeOf(options);
    const parameters = this.parameters = new Parameters(device, seed);
    this.#embedding = parameters.normal("embedding", [shape.vocab, shape.width], INITIAL_STD);
    this.#blocks = Array.from(
      { length: shape.trunkLayers },
      (_, i) => new Block(shape, parameters, `blocks.${i}`, i),
    );
    this.#norm = parameters.ones("norm", shape.width);
    this.#rotary = rotaryTables(shape, device);
    this.#lent = {
      device,
      shape,
      parameters,
      embedding: this.#embedding,
      norm: this.#norm,
      rotary: this.#rotary,
    };
    this.#heads = KINDS[shape.heads.kind](this.#lent);
  }

  /** K. */
  get headCount(): number {
    return this.shape.heads.count;
  }

  /** What the heads read, (B, T, D): behind the final norm where that is the same for all of them. */
  trunk(ids_BT: Tensor): Tensor {
    return scoped(() => {
      let x_BTD = this.#embed(ids_BT);
      for (const block of this.#blocks) x_BTD = scoped(() => block.forward(x_BTD, this.#rotary));
      return this.#ending(x_BTD);
    });
  }

  /**
   * Adds the gradients of sum_i scales[i] * (sum of head i's NLL) to the parameters, and returns the terms of the sum
   * that are not 0 (scalars, on the device).
   *
   * Head by head on the trunk's detached output, then once through the trunk: one chunk of one head's logits exists at
   * a time, whatever K is (Gloeckle et al. 2024, section 2). A head of scale 0 sleeps: it is not run at all, and its
   * parameters get no gradient. Neither do those that are frozen; where all of the trunk is, it is not run backwards.
   */
  backward(
    sequences: Sequences,
    scales: readonly number[],
    options: BackwardOptions = {},
  ): (Tensor | null)[] {
    if (scales.every((scale) => scale === 0)) return scales.map(() => null);
    using scope = new Scope();
    const terms = this.#backwardThrough(sequences, scales, options);
    return terms.map((term) => term === null ? null : scope.keep(term));
  }

  #backwardThrough(
    sequences: Sequences,
    scales: readonly number[],
    options: BackwardOptions,
  ): (Tensor | null)[] {
    if (!this.#trunkLearns()) {
      const z_BTD = noGrad(() => this.trunk(sequences.inputs));
      return this.#heads.backward(z_BTD, sequences, scales, options);
    }
    if (options.recompute) return this.#backwardByBlocks(sequences, scales, options);
    const z_BTD = this.trunk(sequences.inputs);
    const leaf_BTD = z_BTD.detach().requireGrad();
    const terms = this.#heads.backward(leaf_BTD, sequences, scales, options);
    z_BTD.backward(leaf_BTD.grad);
    return terms;
  }

  /** Whether any parameter below the heads is not frozen. */
  #trunkLearns(): boolean {
    return this.parameters.entries().some(([name, tensor]) =>
      /^(embedding|blocks\.|norm)/.test(name) && tensor.requiresGrad
    );
  }

  /** {@link backward}, with nothing kept of the trunk's forward pass but the input of each block. */
  #backwardByBlocks(
    sequences: Sequences,
    scales: readonly number[],
    options: BackwardOptions,
  ): (Tensor | null)[] {
    const pieces = this.#blocks.map((block) => (x_BTD: Tensor) => block.forward(x_BTD, this.#rotary));
    if (this.#heads.readNormed) pieces.push((x_BTD) => this.#ending(x_BTD));
    const inputs = noGrad(() => {
      const inputs = [this.#embed(sequences.inputs)];
      for (const piece of pieces) inputs.push(scoped(() => piece(inputs.at(-1)!)));
      return inputs;
    });
    let leaf_BTD = inputs.pop()!.detach().requireGrad();
    const terms = this.#heads.backward(leaf_BTD, sequences, scales, options);
    for (const piece of pieces.toReversed()) {
      const input_BTD = inputs.pop()!;
      const next_BTD = input_BTD.detach().requireGrad();
      using _graph = new Scope();
      piece(next_BTD).backward(leaf_BTD.grad);
      leaf_BTD.free();
      leaf_BTD = next_BTD;
    }
    const embedded_BTD = this.#embed(sequences.inputs);
    if (embedded_BTD.requiresGrad) embedded_BTD.backward(leaf_BTD.grad);
    return terms;
  }

  #embed(ids_BT: Tensor): Tensor {
    return embedding(ids_BT, this.#embedding).to(this.compute, this.device);
  }

  /** What follows the last block of the trunk. */
  #ending(x_BTD: Tensor): Tensor {
    return this.#heads.readNormed ? rmsNorm(x_BTD, this.#norm, this.shape.norm_eps) : x_BTD;
  }

  /** Teacher-forced scores of every head, without gradients. */
  score(sequences: Sequences): HeadScores[] {
    return noGrad(() => {
      using scope = new Scope();
      const z_BTD = this.trunk(sequences.inputs);
      return this.#heads.score(z_BTD, sequences).map(({ nll, best }) => ({
        nll: scope.keep(nll),
        best: scope.keep(best),
      }));
    });
  }

  /**
   * Scores of head 1, without gradients, on what follows tokens of a tree: the NLL of each of its `targets`, and the most
   * likely token in that place. What sequences have in common at their beginnings is computed once.
   */
  scoreTree({ ids, depths, rows, targets }: TokenTree): HeadScores {
    return noGrad(() => {
      using scope = new Scope();
      const depths_T = Tensor.ids(depths);
      const [ids_1T, rows_P, targets_P] = [
        Tensor.ids(ids, [1, ids.length]),
        Tensor.ids(rows),
        Tensor.ids(targets),
      ]
        .map((tensor) => tensor.to("int64", this.device)) as [Tensor, Tensor, Tensor];
      const attend: Attend = (projected_1TNW, { cos, sin }, H) => {
        const [, T, N, W] = projected_1TNW.shape as [number, number, number, number];
        return treeAttention(projected_1TNW.reshape(T, N, W), cos, sin, H, depths_T).reshape(1, T, H * W);
      };
      let x_1TD = this.#embed(ids_1T);
      for (const block of [...this.#blocks, ...this.#heads.ofHead1]) {
        x_1TD = scoped(() => block.forward(x_1TD, this.#rotary, attend));
      }
      const x_TD = rmsNorm(x_1TD, this.#norm, this.shape.norm_eps).reshape(ids.length, this.shape.width);
      const { nll, best } = linearNll(embedding(rows_P, x_TD), this.#heads.unembedding, targets_P);
      return { nll: scope.keep(nll), best: scope.keep(best) };
    });
  }

  /**
   * Gives a head that wakes up the weights of the head before it. What that one has no counterpart of is left as it is:
   * the residual blocks after head 1, and the second of `sequential` heads.
   */
  copyHead(to: number): void {
    const from = `heads.${to - 1}`;
    for (const [name, tensor] of this.parameters.entries()) {
      const part = partOf(name, `heads.${to}`);
      if (part === undefined) continue;
      const isTied = part === "" && to === 2 && this.shape.tied;
      const source = isTied ? this.#embedding : this.parameters.find(from + part);
      if (source !== undefined) tensor.copy_(source);
    }
  }

  /**
   * The model with its weights as they are now, laid out for decoding in float32. By default for the row kernels where
   * they can run.
   *
   * @throws {RangeError} for the row kernels on another device than the CPU.
   */
  decoder(kernels: Kernels = this.device === "cpu" ? "rows" : "aten"): Decoder {
    return new Decoder(this.#lent, this.#blocks, this.#heads, kernels);
  }

  [Symbol.dispose](): void {
    this.parameters[Symbol.dispose]();
    this.#rotary.cos.free();
    this.#rotary.sin.free();
  }
}

/** What follows a head's own prefix in a parameter's name, such as `.qkv`; undefined for other names. */
function partOf(name: string, prefix: string): string | undefined {
  if (name === prefix) return "";
  return name.startsWith(`${prefix}.`) ? name.slice(prefix.length) : undefined;
}
