/** Totals over scored batches: loss and accuracy of each head, and how often drafts would be accepted. */
import { Scope, type Tensor } from "../torch/mod.ts";
import type { Sequences } from "./heads/heads.ts";
import type { MtpModel } from "./mtp.ts";

/** Sums over the targets of one head. */
export interface HeadTotals {
  /** Nats. */
  nll: number;
  /** Targets that were the head's first choice. */
  correct: number;
  targets: number;
}

/** Sums over batches; `proposed[j]` and `accepted[j]` count the drafts of head j + 2. */
export interface ScoreTotals {
  readonly heads: HeadTotals[];
  readonly proposed: number[];
  readonly accepted: number[];
}

export function emptyScores(headCount: number): ScoreTotals {
  const zeros = () => Array.from({ length: headCount - 1 }, () => 0);
  return {
    heads: Array.from({ length: headCount }, () => ({ nll: 0, correct: 0, targets: 0 })),
    proposed: zeros(),
    accepted: zeros(),
  };
}

/**
 * Scores a batch and adds it up. Returns the NLL of head 1's targets (rows * length), nats, 0 where there is none.
 *
 * A draft of head i at t is accepted when it is what head 1 chooses at t + i - 1. It is proposed there only if all
 * drafts before it were accepted, so accepted / proposed is the conditional acceptance at its depth. The context is the
 * true text throughout (teacher-forced).
 */
export function addScores(totals: ScoreTotals, model: MtpModel, batch: Sequences): Float32Array {
  using _scope = new Scope();
  const [rows, length] = batch.inputs.shape as [number, number];
  const targets = integers(batch.targets);
  const scores = model.score(batch);
  const best = scores.map((s) => integers(s.best));
  const perHead = rows * length;
  const nlls = scores.map(({ nll }) => new Float32Array(nll.toBytes().buffer));
  nlls.forEach((nll, i) => {
    const total = totals.heads[i]!;
    total.nll += nll.reduce((sum, v) => sum + v, 0);
    for (let p = 0; p < perHead; p++) {
      const target = targets[i * perHead + p]!;
      if (target < 0n) continue;
      total.targets++;
      if (best[i]![p] === target) total.correct++;
    }
  });
  for (let row = 0; row < rows; row++) {
    for (let t = 0; t < length; t++) {
      countDrafts(totals, best, targets, row * length + t, length - t, perHead);
    }
  }
  return nlls[0]!;
}

/** The drafts made at position p, which has `left` positions of its row from itself on. */
function countDrafts(
  totals: ScoreTotals,
  best: readonly BigInt64Array[],
  targets: BigInt64Array,
  p: number,
  left: number,
  perHead: number,
): void {
  for (let i = 1; i < best.length && i < left; i++) {
    if (targets[i * perHead + p]! < 0n) return; // beyond the document
    totals.proposed[i - 1]!++;
    if (best[i]![p] !== best[0]![p + i]) return;
    totals.accepted[i - 1]!++;
  }
}

const integers = (t: Tensor): BigInt64Array => new BigInt64Array(t.toBytes().buffer);

/** What the totals say. */
export interface ScoreSummary {
  /** Mean NLL in nats and share of first choices that were right; NaN without targets. */
  readonly heads: { readonly loss: number; readonly accuracy: number }[];
  /** Head 1: nats / ln 2 / text bytes. */
  readonly bitsPerByte: number;
  /** Conditional acceptance of the draft of each head from 2 on; 0 where none was proposed. */
  readonly acceptance: number[];
  /** 1 + the sum over depths of the products of acceptance. */
  readonly expectedTokensPerForward: number;
}

/** `bytes`: text bytes among the targets of head 1. */
export function summarize(totals: ScoreTotals, bytes: number): ScoreSummary {
  const acceptance = totals.proposed.map((n, j) => n === 0 ? 0 : totals.accepted[j]! / n);
  let reached = 1;
  let expectedTokensPerForward = 1;
  for (const a of acceptance) expectedTokensPerForward += reached *= a;
  return {
    heads: totals.heads.map((h) => ({ loss: h.nll / h.targets, accuracy: h.correct / h.targets })),
    bitsPerByte: totals.heads[0]!.nll / Math.LN2 / bytes,
    acceptance,
    expectedTokensPerForward,
  };
}
