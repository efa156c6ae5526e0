/**
 * AdamW, or Muon for the matrices of blocks and AdamW for the rest, over the parameters that have gradients. What sleeps or
 * is frozen has none: its weights do not decay, its moments and its count of steps stand still.
 */
import type { Parameters } from "../model/mod.ts";
import {
  type AdamState,
  adamw,
  clearGrads,
  clipGrads,
  gradNorm,
  muon,
  type MuonState,
  Tensor,
  unscoped,
} from "../torch/mod.ts";
import { type Group, groupsOf } from "./groups.ts";

/** Part of the training configuration. */
export interface OptimizerOptions {
  /** `muon`: for matrices other than embeddings and unembeddings; default `adamw`. */
  readonly optimizer?: "adamw" | "muon";
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** Of Muon; default 0.95. */
  readonly momentum?: number;
  /** Of matrices; vectors (norms) never decay. */
  readonly weight_decay: number;
  /** Largest norm of all gradients together; 0: no clipping. */
  readonly clip: number;
  /** Factors of the learning rate for parts of the model; default 1. */
  readonly lr_scale?: { readonly heads: number; readonly embedding: number };
}

type State = AdamState | MuonState;

/** The moments of every parameter that was ever trained, by the parameter's name. */
export class Optimizer implements Disposable {
  readonly #states = new Map<string, State>();
  readonly #groups: readonly Group[];

  constructor(readonly parameters: Parameters, readonly options: OptimizerOptions) {
    const { optimizer = "adamw", lr_scale = { heads: 1, embedding: 1 } } = options;
    this.#groups = groupsOf(parameters, optimizer, lr_scale);
  }

  /** Moments and step counters: `<parameter>.mean`, `.square` and `.step` of AdamW, `.momentum` and `.step` of Muon. */
  entries(): [string, Tensor][] {
    return [...this.#states].flatMap(([name, state]) =>
      Object.entries(state).map(([part, tensor]): [string, Tensor] => [`${name}.${part}`, tensor])
    );
  }

  /** Makes room for the state of every parameter that has any among these names of {@link entries}. */
  expect(names: readonly string[]): void {
    const wanted = new Set(names);
    for (const [name] of this.parameters.entries()) if (wanted.has(`${name}.step`)) this.state(name);
  }

  /** The state of a parameter, made of zeros when it is new. */
  state(name: string): State {
    const known = this.#states.get(name);
    if (known !== undefined) return known;
    const { method } = this.#groups.find((group) => group.names.includes(name))!;
    const { shape, device } = this.parameters.get(name);
    const zeros = (size: readonly number[]) => Tensor.zeros(size, { dtype: "float32", device });
    const state = unscoped((): State =>
      method === "muon"
        ? { momentum: zeros(shape), step: zeros([]) }
        : { mean: zeros(shape), square: zeros(shape), step: zeros([]) }
    );
    this.#states.set(name, state);
    return state;
  }

  /** Drops the state of a parameter, whose weights are no longer those that it belonged to. */
  forget(name: string): void {
    for (const tensor of Object.values(this.#states.get(name) ?? {}) as Tensor[]) tensor.free();
    this.#states.delete(name);
  }

  /**
   * One step; forgets the gradients. Returns the norm of the gradients before clipping, on the device: where it is not
   * finite, nothing has changed; 0 where there are none.
   */
  step(lr: number): Tensor {
    const awake = new Map(this.parameters.entries().filter(([, parameter]) => parameter.hasGrad));
    const tensors = [...awake.values()];
    if (tensors.length === 0) return Tensor.zeros([], { dtype: "float32", device: this.parameters.device });
    const norm = gradNorm(tensors);
    if (this.options.clip > 0) clipGrads(tensors, norm, this.options.clip);
    for (const group of this.#groups) {
      this.#stepGroup(group, group.names.filter((name) => awake.has(name)), lr, norm);
    }
    clearGrads(tensors);
    return norm;
  }

  #stepGroup({ method, decays, scale }: Group, names: readonly string[], rate: number, norm: Tensor): void {
    const { beta1, beta2, eps, momentum = 0.95, weight_decay } = this.options;
    const shared = { lr: rate * scale, decay: decays ? weight_decay : 0 };
    const parameters = names.map((name) => this.parameters.get(name));
    const states = names.map((name) => this.state(name));
    if (method === "adamw") {
      adamw(parameters, states as AdamState[], { ...shared, beta1, beta2, eps }, norm);
    } else {
      const matrices = names.map((name, i) => ({
        parameter: parameters[i]!,
        rows: this.parameters.partsOf(name),
      }));
      muon(matrices, states as MuonState[], { ...shared, momentum }, norm);
    }
  }

  [Symbol.dispose](): void {
    for (const name of [...this.#states.keys()]) this.forget(name);
  }
}
