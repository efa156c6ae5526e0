/**
 * Language modelling on a text: loss and accuracy of every head, and bits per byte of head 1 with an interval over
 * documents. Each token is scored once, with context before it where the text has that.
 */
import { addScores, emptyScores, type MtpModel, type ScoreTotals } from "../model/mod.ts";
import { UserError } from "../stage/errors.ts";
import { Scope, Tensor } from "../torch/mod.ts";
import type { Part } from "./estimate.ts";
import type { Text } from "./text.ts";
import { type Window, windowsOver } from "./windows.ts";

/** What was summed up. */
export interface TextScores {
  readonly totals: ScoreTotals;
  /** Text bytes among the targets of head 1. */
  readonly bytes: number;
  /** Bits of head 1 and bytes of each document that was reached, in order. */
  readonly documents: readonly Part[];
}

/** How a text is gone through. */
export interface Reading {
  /** Most inputs of a window. */
  readonly context: number;
  /** Inputs that a window adds. */
  readonly stride: number;
  /** Most tokens that are scored. */
  readonly tokens: number;
  readonly byteLengths: Uint32Array;
}

/** Windows that are scored together. */
const BATCH = 8;

/**
 * @param step Called after each batch with the number of tokens scored.
 * @throws {UserError} where a loss is not finite.
 */
export async function scoreText(
  model: MtpModel,
  text: Text,
  { context, stride, tokens, byteLengths }: Reading,
  step: (done: number) => Promise<void>,
): Promise<TextScores> {
  const totals = emptyScores(model.headCount);
  const documents: [number, number][] = [];
  for (const [shard, stream] of text.streams.entries()) {
    const left = tokens - totals.heads[0]!.targets; // each input has one target of head 1
    if (left <= 0) break;
    const first = documents.length;
    let document = 0;
    const count = (position: number, nats: number, target: number) => {
      while (position > stream.end(document)) document++;
      const sums = documents[first + document] ??= [0, 0];
      sums[0] += nats / Math.LN2;
      sums[1] += byteLengths[target]!;
    };
    for (const windows of batched(windowsOver(Math.min(stream.tokens, left + 1), context, stride))) {
      scoreWindows(model, text, shard, windows, totals, count);
      await step(totals.heads[0]!.targets);
    }
  }
  if (!totals.heads.every(({ nll }) => Number.isFinite(nll))) {
    throw new UserError(
      "The loss is not a finite number: the weights are damaged, or their training diverged",
    );
  }
  return { totals, bytes: documents.reduce((sum, [, bytes]) => sum + bytes, 0), documents };
}

/** Groups of up to {@link BATCH} windows of one length. */
function* batched(windows: Iterable<Window>): Generator<Window[]> {
  let group: Window[] = [];
  for (const window of windows) {
    if (group.length === BATCH || (group.length > 0 && group[0]!.length !== window.length)) {
      yield group;
      group = [];
    }
    group.push(window);
  }
  if (group.length > 0) yield group;
}

/** Adds the scores of some windows; tells of each target of head 1 where it stands in the stream, and its NLL. */
function scoreWindows(
  model: MtpModel,
  text: Text,
  shard: number,
  windows: readonly Window[],
  totals: ScoreTotals,
  count: (position: number, nats: number, target: number) => void,
): void {
  using _scope = new Scope();
  const starts = windows.map((window) => ({ shard, token: window.start }));
  const shape = { length: windows[0]!.length, heads: model.headCount, predictFirst: true };
  const { inputs, targets } = text.gather(starts, shape);
  windows.forEach(({ seen }, row) => {
    const scored = targets.slice(1, row, row + 1).slice(2, 0, seen);
    scored.copy_(Tensor.full(scored.shape, -1, { dtype: "int64", device: "cpu" }));
  });
  const { device } = model;
  const batch = { inputs: inputs.to("int64", device), targets: targets.to("int64", device) };
  const nats = addScores(totals, model, batch);
  const first = targets.slice(0, 0, 1).toArray();
  windows.forEach(({ start, length, seen }, row) => {
    for (let t = seen; t < length; t++) {
      count(start + t + 1, nats[row * length + t]!, first[row * length + t]!);
    }
  });
}
