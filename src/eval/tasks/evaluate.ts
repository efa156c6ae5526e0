/** One task on one arm: items to sequences, sequences to likelihoods, likelihoods to figures. */
import type { NamedTask } from "../../config/task/load.ts";
import type { MtpModel } from "../../model/mod.ts";
import { UserError } from "../../stage/errors.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { Group } from "./items.ts";
import { type Likelihood, likelihoods } from "./likelihood.ts";
import { type Figures, type Judged, measure, overall } from "./measures.ts";
import { type Alternative, alternativesOf } from "./sequences.ts";

/** What an arm makes of a task, as eval.json has it. */
export interface TaskScores {
  readonly task: string;
  readonly form: string;
  readonly items: number;
  /** Items of which not all fitted into the context. */
  readonly cut: number;
  /** Means over the groups. */
  readonly metrics: Figures;
  readonly groups: readonly { readonly name: string; readonly items: number; readonly metrics: Figures }[];
  readonly seconds: number;
}

/** @throws {UserError} where a likelihood is not finite. */
export async function evaluateTask(
  { name, form, metrics }: NamedTask,
  groups: readonly Group[],
  model: MtpModel,
  tokenizer: Tokenizer,
  step: (done: number, all: number) => Promise<void>,
): Promise<TaskScores> {
  const began = performance.now();
  const asked = groups.map(({ items }) =>
    items.map((item) => alternativesOf(item, tokenizer, model.shape.context))
  );
  const sequences = asked.flat(2).flatMap((alternative) => alternative.sequences);
  const found = await likelihoods(model, sequences, (done) => step(done, sequences.length));
  let next = 0;
  const judge = ({ sequences, bytes }: Alternative): Judged => {
    const parts = found.slice(next, next += sequences.length);
    return { ...together(parts, name), bytes };
  };
  const figures = groups.map(({ name, items }, g) => ({
    name,
    items: items.length,
    metrics: measure(metrics, items, asked[g]!.map((alternatives) => alternatives.map(judge))),
  }));
  return {
    task: name,
    form,
    items: figures.reduce((sum, { items }) => sum + items, 0),
    cut: asked.flat().filter((alternatives) => alternatives.some(({ isCut }) => isCut)).length,
    metrics: overall(metrics, figures.map(({ metrics }) => metrics)),
    groups: figures,
    seconds: (performance.now() - began) / 1000,
  };
}

/** Of a text that was scored in several sequences. */
function together(parts: readonly Likelihood[], task: string): Likelihood {
  const nats = parts.reduce((sum, part) => sum + part.nats, 0);
  if (!Number.isFinite(nats)) {
    throw new UserError(
      `Cannot evaluate ${task}: a log-likelihood is ${-nats}; the weights are damaged or diverged`,
    );
  }
  return { nats, isGreedy: parts.every(({ isGreedy }) => isGreedy) };
}
