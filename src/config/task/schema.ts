/**
 * What a task's file may say: which form its items have and where in a record their parts stand. A record is a line of
 * JSON Lines or a row of a Parquet file.
 */

import * as z from "zod";
import { count, name, whole } from "../schema/values.ts";
import { parseTemplate } from "./template.ts";

/** How the path of a task's file ends. */
export const TASK_ENDING = /\.(yaml|yml|json)$/;

/** Whether a task is named by the path of its file, and not by its name. */
export const isTaskPath = (task: string): boolean => TASK_ENDING.test(task);

const template = z.string().min(1).superRefine((text, context) => {
  try {
    parseTemplate(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
  }
});

const pattern = z.string().min(1).superRefine((text, context) => {
  try {
    new RegExp(text, "gu");
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
  }
});

const path = z.string().min(1);
const list = z.union([path, z.array(template).min(2)], {
  error: "the path of a list | a list of at least two templates",
});

/** At most so many items of each group, drawn by the pipeline's seed. */
export const limit = z.union([z.literal("all"), count], { error: "all | a whole number" });

const common = {
  about: z.string().min(1).describe("one line for a reader"),
  source: z.string().min(1).describe(
    "the public data set whose files it reads, or where the items come from",
  ),
  made_up: name.optional().describe("the probe that makes its items, in place of data"),
  limit: limit.default("all").describe("items of each group, drawn by the seed"),
  fields: z.record(name, z.union([path, z.array(path).min(1)], { error: "a path | a list of paths" }))
    .default({})
    .describe("names for what stands at dotted paths; of several paths, the first that a record has"),
  replace: z.array(z.tuple([pattern, z.string()])).default([])
    .describe("regular expressions and what to put in the place of their matches, in this order"),
  group: z.union([z.enum(["one", "file"]), template]).default("one")
    .describe("what is counted together: all, each file, or records for which this template gives the same"),
};

const pair = z.strictObject({
  ...common,
  form: z.literal("pair"),
  good: template.optional().describe("the text that is to be the more likely one"),
  bad: template.optional().describe("the other"),
  metrics: z.array(z.enum(["accuracy"])).min(1).default(["accuracy"]),
});

const cloze = z.strictObject({
  ...common,
  form: z.literal("cloze"),
  text: template.optional().describe("a text whose last word is the target"),
  context: template.optional().describe("in place of text: what is given"),
  target: template.optional().describe("and what has to follow, with the space before it"),
  metrics: z.array(z.enum(["accuracy", "perplexity", "bits_per_byte"])).min(1)
    .default(["accuracy", "perplexity", "bits_per_byte"]),
});

const choice = z.strictObject({
  ...common,
  form: z.literal("choice"),
  context: template.optional().describe("the question, before every choice"),
  choices: list.optional().describe("what may follow"),
  contexts: z.array(template).min(2).optional()
    .describe("in place of context and choices: the beginnings that differ"),
  ending: template.optional().describe("and what follows all of them"),
  delimiter: z.string().default(" ").describe("between context and choice, a part of the choice"),
  answer: z.union([path, whole(0)], { error: "a path | the number of the choice, from 0" }).optional()
    .describe("what tells the right choice"),
  labels: z.union([path, z.array(z.string().min(1)).min(2)], { error: "the path of a list | a list" })
    .optional()
    .describe("what the answer says of each choice; default: their numbers from 0"),
  metrics: z.array(z.enum(["accuracy", "accuracy_norm"])).min(1).default(["accuracy"]),
});

/** Which keys say what an item is; one of the sets is given, or `made_up`. */
const SAYING = {
  pair: [["good", "bad"]],
  cloze: [["text"], ["context", "target"]],
  choice: [["context", "choices", "answer"], ["contexts", "ending", "answer"]],
} as const;

export const taskSchema = z.discriminatedUnion("form", [pair, cloze, choice]).superRefine((task, context) => {
  const given = new Set(Object.entries(task).filter(([, value]) => value !== undefined).map(([key]) => key));
  const sets: readonly (readonly string[])[] = SAYING[task.form];
  const refuse = (key: string, message: string) => context.addIssue({ code: "custom", path: [key], message });
  const used = [...new Set(sets.flat())].filter((key) => given.has(key));
  if (task.made_up !== undefined) {
    used.forEach((key) => refuse(key, READS_NO_RECORDS));
    return;
  }
  const nearest = sets.toSorted((a, b) => overlap(b, used) - overlap(a, used))[0]!;
  const missing = nearest.find((key) => !given.has(key));
  if (missing !== undefined) {
    const words = sets.map((keys) => keys.join(", ")).join(" | ");
    refuse(missing, `missing: the items of the form ${task.form} need ${words}, or made_up`);
  }
  const extra = used.find((key) => !nearest.includes(key));
  if (extra !== undefined) refuse(extra, `does not go with ${nearest.join(", ")}`);
  if (task.form === "choice" && typeof task.answer === "number" && task.labels !== undefined) {
    refuse("labels", `the answer is the number of a choice (${task.answer}), which needs no labels`);
  }
});

const READS_NO_RECORDS = "a task whose items are made up reads no records";

/** What says how records are read, besides {@link SAYING}. */
const READING = ["fields", "replace", "group", "delimiter", "labels"];

/** Keys of a made-up task that nobody would read. The defaults have to be still apart: `given` is as the file has it. */
export function idleKeys({ made_up }: TaskFile, given: object): { key: string; message: string }[] {
  if (made_up === undefined) return [];
  return READING.filter((key) => Object.hasOwn(given, key)).map((key) => ({
    key,
    message: `${READS_NO_RECORDS}: leave out ${key}`,
  }));
}

const overlap = (keys: readonly string[], used: readonly string[]): number =>
  keys.filter((key) => used.includes(key)).length;

/** A task, defaults filled in. */
export type TaskFile = z.output<typeof taskSchema>;
/** A task of one form. */
export type TaskOf<Form extends TaskFile["form"]> = Extract<TaskFile, { readonly form: Form }>;
/** What is measured. */
export type MetricName = TaskFile["metrics"][number];
