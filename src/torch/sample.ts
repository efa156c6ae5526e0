/** Distributions over tokens, and draws from them; on the CPU. */
import { check, native } from "./native.ts";
import { Tensor } from "./tensor.ts";

/** What is left of a distribution before a token is drawn, in this order. */
export interface Truncation {
  /** Logits are divided by it; above 0. */
  readonly temperature: number;
  /** Only so many of the likeliest tokens; 0: all. */
  readonly top_k: number;
  /** Only the fewest of the likeliest tokens that together have this probability (Holtzman et al. 2020); 1: all. */
  readonly top_p: number;
  /** Only tokens of at least this share of the likeliest one's probability (Nguyen et al. 2024); 0: all. */
  readonly min_p: number;
}

/** Rows of probabilities (rows, V), each of which sums to 1. */
export class Distributions {
  constructor(readonly tensor: Tensor) {}

  /** softmax(logits / temperature), truncated. @throws {TorchError} when the logits are not finite. */
  static of(logits: Tensor, { temperature, top_k, top_p, min_p }: Truncation): Distributions {
    return new Distributions(
      new Tensor(native.ft_distributions(logits.handle, temperature, top_k, top_p, min_p)),
    );
  }

  /** A token drawn from a row; `uniform`: a number from 0 (included) to 1. */
  draw(row: number, uniform: number): number {
    return check(native.ft_draw(this.tensor.handle, row, uniform));
  }

  /** A token drawn from max(0, p - q), where q is a row of `other`. */
  drawResidual(row: number, other: Distributions, otherRow: number, uniform: number): number {
    return check(
      native.ft_draw_residual(this.tensor.handle, row, other.tensor.handle, otherRow, uniform),
    );
  }

  probability(row: number, token: number): number {
    check(native.ft_probability(this.tensor.handle, row, token, one));
    return one[0]!;
  }

  /** Nats. */
  entropy(row: number): number {
    check(native.ft_entropy(this.tensor.handle, row, one));
    return one[0]!;
  }
}

const one = new Float64Array(1);

/**
 * Makes tokens less likely, in place: a positive logit is divided by `penalty`, a negative one multiplied (Keskar et al.
 * 2019). Each of `tokens` counts once.
 */
export function penalize(logits: Tensor, row: number, tokens: ReadonlySet<number>, penalty: number): void {
  check(native.ft_penalize(logits.handle, row, Int32Array.from(tokens), tokens.size, penalty));
}

/** The `count` likeliest tokens of a row of logits, the likeliest first. */
export function likeliest(logits: Tensor, row: number, count: number): number[] {
  const found = new Int32Array(count);
  check(native.ft_best(logits.handle, row, found, count));
  return [...found];
}
