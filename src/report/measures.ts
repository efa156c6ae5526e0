/** The figures by which arms are compared: what each is called, which way is better, and where an arm has it. */

import { armFigures } from "./arm_figures.ts";
import type { Arm, Results, Staged } from "./collect.ts";
import type { Decoding, Evaluation } from "./inputs.ts";
import { mostHeads, spokenOf } from "./measurements.ts";
import { decimal } from "./numbers.ts";

/** A figure that every arm may have. */
export interface Measure {
  /** In report.json and report.csv; no two measures of a page have the same. */
  readonly key: string;
  readonly heading: string;
  /** The heading, less the stage that tells it from the same measure of another stage. */
  readonly name: string;
  /** Id of the stage that it comes from, or what kind of stage it is where several may be. */
  readonly from: string;
  readonly about: "text" | "generation" | "decoding";
  /** Null where neither is: the best is what is near the true text. */
  readonly better: "lower" | "higher" | null;
  /** Decimals of a value as the page prints it. */
  readonly digits: number;
  /** What a value is multiplied with for the page: 100 for shares, which are printed as percentages. */
  readonly scale: number;
  /** Null where it was not measured, or is not finite. */
  of(arm: Arm): number | null;
}

/** The measures that at least one arm has, in the order of the page. */
export function measuresOf(results: Pick<Results, "arms" | "evaluations" | "decodings">): Measure[] {
  const { arms, evaluations, decodings } = results;
  const ordered = [...evaluations].sort((a, b) => rank(a) - rank(b));
  const all = [
    ...ordered.flatMap((evaluation) => [bitsOf(evaluation), ...tasksOf(evaluation)]),
    ...lastValidation(evaluations),
    ...ordered.flatMap(generationOf),
    ...(evaluations.some(({ value }) => value.generation !== undefined) ? [] : [repetitionWhileDecoding]),
    onTrueText(decodings[0]?.id ?? "decode"),
    ...decodings.flatMap(decodingOf),
  ];
  const used = all.filter((measure) => arms.some((arm) => measure.of(arm) !== null));
  return used.map((measure, i) => {
    const isFirst = used.findIndex(({ key }) => key === measure.key) === i;
    const isAlone = used.every((other) => other === measure || other.key !== measure.key);
    const heading = isAlone ? measure.name : `${measure.name}, ${measure.from}`;
    const named = { ...measure, heading };
    return isFirst ? named : { ...named, key: `${measure.key}:${measure.from}` };
  });
}

/** Held-out text, then training text, then files, which may be any text. */
function rank({ value: { split } }: Staged<Evaluation>): number {
  return split === "files" ? 2 : split === "train" ? 1 : 0;
}

/** A measure whose heading is not yet told from others'. */
type Placed = Omit<Measure, "heading">;

const share = { digits: 1, scale: 100 };

function bitsOf({ id, value: { split, arms } }: Staged<Evaluation>): Placed {
  const text = rank({ id, value: { split, arms } });
  return {
    key: ["bits_per_byte", "bits_per_byte_training_text", "bits_per_byte_files"][text]!,
    name: ["bits per byte", "bits per byte, training text", "bits per byte, files"][text]!,
    about: "text",
    better: "lower",
    digits: 3,
    scale: 1,
    from: id,
    of: (arm) => arms.find(({ id }) => id === arm.id)?.bits_per_byte ?? null,
  };
}

/** Where some arm has no other: of the text at hand, head 1's at the end of training, on a part of the held-out text. */
function lastValidation(evaluations: readonly Staged<Evaluation>[]): Placed[] {
  const isEvaluated = (arm: Arm) =>
    evaluations.some(({ value: { split, arms } }) =>
      split !== "files" && arms.some(({ id }) => id === arm.id)
    );
  return [{
    key: "bits_per_byte_last_validation",
    name: "bits per byte, last validation",
    about: "text",
    better: "lower",
    digits: 3,
    scale: 1,
    from: "train",
    of: (arm) => isEvaluated(arm) ? null : arm.validations.at(-1)?.bits_per_byte ?? null,
  }];
}

const TASK_NAMES: Readonly<Record<string, string>> = { lambada: "LAMBADA", blimp: "BLiMP" };

/** Of each task its accuracy, of one about a text's end its bits per byte too. */
function tasksOf({ id, value: { arms } }: Staged<Evaluation>): Placed[] {
  const tasks = arms.find(({ tasks }) => tasks.length > 0)?.tasks ?? [];
  return tasks.flatMap(({ task, metrics }, index) => {
    const before = tasks.slice(0, index).filter((other) => other.task === task).length; // asked before, of other data
    const accuracy = "accuracy_norm" in metrics ? "accuracy_norm" : "accuracy";
    const measure = (
      metric: string,
      name: string,
      better: "lower" | "higher",
      printed: object,
    ): Placed => ({
      key: `${task}${before > 0 ? before + 1 : ""}_${metric}`,
      name: `${TASK_NAMES[task] ?? task}${before > 0 ? ` (${before + 1})` : ""} ${name}`,
      about: "text",
      better,
      digits: 3,
      scale: 1,
      ...printed,
      from: id,
      of: (arm) => {
        const found = arms.find(({ id }) => id === arm.id)?.tasks[index];
        return found?.task === task ? found.metrics[metric]?.value ?? null : null;
      },
    });
    return [
      measure(accuracy, "accuracy,\u00a0%", "higher", share),
      measure("bits_per_byte", "bits per byte", "lower", {}),
    ];
  });
}

const GENERATED: readonly (readonly [key: string, name: string, better: "higher" | null, printed: object])[] =
  [
    ["bleu", "BLEU", "higher", { digits: 2 }],
    ["rouge_l", "ROUGE\u2011L", "higher", {}],
    ["rep_4", "rep\u20114,\u00a0%", null, share],
    ["semscore", "SemScore", "higher", {}],
  ];

/** Of the likeliest continuations where they were asked for, else of those that were drawn. */
function generationOf({ id, value: { generation } }: Staged<Evaluation>): Placed[] {
  if (generation === undefined) return [];
  const kinds = generation.arms.flatMap(({ outputs }) => outputs.map(({ kind }) => kind));
  const chosen = kinds.includes("greedy") ? "greedy" : "sampled";
  const figures = (arm: string) =>
    generation.arms.find(({ id }) => id === arm)?.outputs.find(({ kind }) => kind === chosen)?.figures;
  const judged = [...new Set(generation.arms.flatMap((arm) => Object.keys(figures(arm.id) ?? {})))]
    .filter((key) => key.startsWith("judge_"))
    .map((key) => [key, `judge: ${key.slice("judge_".length)}`, "higher", { digits: 2 }] as const);
  return [...GENERATED, ...judged].map(([key, name, better, printed]) => ({
    key,
    name,
    about: "generation",
    better,
    digits: 3,
    scale: 1,
    ...printed,
    from: id,
    of: (arm) => figures(arm.id)?.[key]?.value ?? null,
  }));
}

const repetitionWhileDecoding: Placed = {
  key: "rep_4",
  name: "rep\u20114,\u00a0%",
  about: "generation",
  better: null,
  ...share,
  from: "decode",
  of: ({ decoding }) => decoding === null ? null : decoding.domains[0]!.repetition.plain.rep_4,
};

const onTrueText = (from: string): Placed => ({
  key: "tokens_per_forward_true_text",
  name: "tokens per forward, true text",
  about: "decoding",
  better: "higher",
  digits: 3,
  scale: 1,
  from,
  of: (arm) => armFigures(arm).tokens_per_forward_true_text,
});

/** Of the first domain, one prompt at a time. An arm that was decoded without drafts gives one token a forward. */
function decodingOf({ id, value: { arms } }: Staged<Decoding>): Placed[] {
  const measure = (
    key: string,
    name: string,
    of: (arm: Decoding["arms"][number]) => number | undefined,
  ): Placed => ({
    key,
    name,
    about: "decoding",
    better: "higher",
    digits: 2,
    scale: 1,
    from: id,
    of: (arm) => {
      const decoded = arms.find(({ id }) => id === arm.id);
      return decoded === undefined ? null : of(decoded) ?? 1;
    },
  });
  return [
    measure(
      "tokens_per_forward",
      "tokens per forward",
      (arm) => spokenOf(arm)?.measurement.tokens_per_forward,
    ),
    measure("tokens_per_forward_all_heads", "tokens per forward, all K heads", (arm) => {
      const spoken = spokenOf(arm);
      return spoken === null ? undefined : mostHeads(spoken.batch)?.tokens_per_forward;
    }),
    measure("speedup", "speed\u2011up", (arm) => spokenOf(arm)?.measurement.speedup),
  ];
}

/** `1.613`, and of shares `71.8`. */
export function valueText({ digits, scale }: Measure, value: number): string {
  return decimal(value * scale, digits);
}

/** `+0.012`, `−0.4`, `0.0`. */
export function changeText(measure: Measure, difference: number): string {
  const text = valueText(measure, Math.abs(difference));
  return Number(text) === 0 ? text : `${difference < 0 ? "\u2212" : "+"}${text}`;
}

/** `bits per byte ↓` */
export function headingOf({ heading, better }: Pick<Measure, "heading" | "better">): string {
  return better === null ? heading : `${heading}\u00a0${better === "lower" ? "↓" : "↑"}`;
}
