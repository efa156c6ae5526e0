/**
 * Acceptance on the true text: what drafts would be worth if decoding always wrote what the text goes on with. Beside
 * free-running acceptance it shows how much of that comes from text that is easy to continue, such as loops.
 *
 * Positions count from the prompt's last one on, as in decoding. With a prompt of 3 and a continuation c d e of 3:
 *
 *     position   0 1 2 3 4          head 1 is scored at 2, 3, 4 (c d e), head 2 at 2, 3 (d e), head 3 at 2 (e)
 */
import { addScores, emptyScores, type MtpModel, summarize } from "../model/mod.ts";
import { Scope, Tensor } from "../torch/mod.ts";
import { type Acceptance, acceptanceOf } from "./acceptance.ts";
import type { Passage } from "./prompts.ts";

export interface TeacherForced {
  /** Tokens of the true continuations. */
  readonly tokens: number;
  /** Of head 1 on them. */
  readonly bits_per_byte: number;
  readonly acceptance: readonly Acceptance[];
  readonly expected_tokens_per_forward: number;
}

/** Passages that are scored together. */
const BATCH = 8;

/** Null where no passage goes on behind its prompt. */
export function teacherForced(
  model: MtpModel,
  passages: readonly Passage[],
  byteLengths: ArrayLike<number>,
): TeacherForced | null {
  const going = passages.filter(({ continuation }) => continuation.length > 0);
  if (going.length === 0) return null;
  const totals = emptyScores(model.headCount);
  for (let i = 0; i < going.length; i += BATCH) {
    using _scope = new Scope();
    const { inputs, targets } = sequencesOf(going.slice(i, i + BATCH), model.headCount);
    const ids = ({ values, shape }: Ids) => Tensor.ids(values, shape).to("int64", model.device);
    addScores(totals, model, { inputs: ids(inputs), targets: ids(targets) });
  }
  const bytes = going.flatMap(({ continuation }) => continuation)
    .reduce((sum, id) => sum + byteLengths[id]!, 0);
  const { bitsPerByte, expectedTokensPerForward } = summarize(totals, bytes);
  return {
    tokens: totals.heads[0]!.targets,
    bits_per_byte: bitsPerByte,
    acceptance: acceptanceOf(
      totals.proposed.map((proposed, i) => ({ proposed, accepted: totals.accepted[i]! })),
    ),
    expected_tokens_per_forward: expectedTokensPerForward,
  };
}

interface Ids {
  readonly values: number[];
  readonly shape: number[];
}

/** Inputs (B, T) and targets (K, B, T); -1: no target, as behind the end of a shorter passage. */
export function sequencesOf(passages: readonly Passage[], heads: number): { inputs: Ids; targets: Ids } {
  const rows = passages.map(({ prompt, continuation }) => [...prompt, ...continuation]);
  const length = Math.max(...rows.map((row) => row.length)) - 1; // the last token is a target only
  const places = Array.from({ length }, (_, t) => t);
  const inputs = rows.flatMap((row) => places.map((t) => row[t] ?? 0));
  const targetsOf = (head: number) =>
    rows.flatMap((row, r) =>
      places.map((t) => t < passages[r]!.prompt.length - 1 ? NO_TARGET : row[t + head] ?? NO_TARGET)
    );
  return {
    inputs: { values: inputs, shape: [rows.length, length] },
    targets: {
      values: Array.from({ length: heads }, (_, i) => targetsOf(i + 1)).flat(),
      shape: [heads, rows.length, length],
    },
  };
}

const NO_TARGET = -1;
