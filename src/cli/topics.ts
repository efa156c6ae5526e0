/** The pages of `foretoken help TOPIC`: topics/NAME.md, which a hosting site shows as well. */

import { join } from "node:path";

/** Name and what it is about, in the order for a newcomer. */
export const TOPICS = {
  pipelines: "files that say what to run: stages, needs, matrices, --set, what is run again",
  data: "text and where it comes from, tokenizers, held-out parts",
  curricula: "which heads are trained when, and what that is good for",
  heads: "the four kinds of prediction heads, what they cost and which to take",
  decoding: "speculative decoding: drafts, acceptance, speed and what is equal",
  results: "what the study of this project gave, and how to read such figures",
  sandbox: "what a stage may touch, what holds it, and what nothing holds",
  cluster: "batch systems such as Slurm: one job for each arm, requeueing",
  "exit-codes": "what a command's exit code means to a script",
} as const satisfies Readonly<Record<string, string>>;

export type Topic = keyof typeof TOPICS;

/** Whether a word is the name of a page. */
export const isTopic = (word: string): word is Topic => Object.hasOwn(TOPICS, word);

/** The page as Markdown. */
export function topicPage(topic: Topic): string {
  return Deno.readTextFileSync(join(import.meta.dirname!, "topics", `${topic}.md`));
}

/** A line for each, for `--help`. */
export function topicLines(): string[] {
  return Object.entries(TOPICS).map(([name, about]) => `  ${name.padEnd(11)} ${about}`);
}
