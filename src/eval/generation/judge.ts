/**
 * Scores by another language model as G-Eval gives them (Liu et al. 2023): a fixed prompt with a criterion and its steps,
 * a form that asks for a score of 1 to 5, and of the scores the mean weighted with their probability: from the tokens'
 * probabilities where the server gives them, else over several answers. The prompts stand in judge_prompts.json.
 */

import { createHash } from "node:crypto";
import * as z from "zod";
import type { JudgeConfig } from "../../config/schema.ts";
import { UserError } from "../../stage/errors.ts";
import { mean } from "./jackknife.ts";
import prompts from "./judge_prompts.json" with { type: "json" };
import { type Server, Unanswered } from "./server.ts";

/** Names of what is scored, each by itself. */
export const CRITERIA: readonly string[] = prompts.criteria.map(({ name }) => name);

/** Tells scores by these prompts from scores by others. */
export const PROMPTS_SHA256 = createHash("sha256").update(JSON.stringify(prompts)).digest("hex");

const [LOWEST, HIGHEST] = [1, 5];
/** Scores and letters are one token; a little room, since some begin with a space or a line break. */
const ANSWER_TOKENS = 5;
/** OpenAI's most. */
const TOP_LOGPROBS = 20;
/** Share of the probability that has to be on scores, and of several answers that have to be scores. */
const LEAST_SHARE = 0.5;

/** How scores are read off: one way for all items of a stage, since the two do not give the same figures. */
export type Scoring = "logprobs" | "samples";

/** What is rated. */
export interface Rated {
  readonly beginning: string;
  readonly continuation: string;
}

const candidate = z.object({ token: z.string(), logprob: z.number() });
const chat = z.object({
  choices: z.array(z.object({
    message: z.object({ content: z.string().nullish() }),
    logprobs: z.object({ content: z.array(candidate.extend({ top_logprobs: z.array(candidate) })).nullish() })
      .nullish(),
  })).min(1),
});
type Chat = z.output<typeof chat>;

/**
 * Scoring as it is asked for; `auto`: tries with one item what the server has.
 *
 * @throws {UserError} where the server does not answer
 */
export async function scoringOf(
  { scoring }: JudgeConfig,
  item: Rated,
  server: Server,
  stop: AbortSignal,
): Promise<Scoring> {
  if (scoring !== "auto") return scoring;
  try {
    const { choices } = await askScore(item, CRITERIA[0]!, server, WITH_LOGPROBS, stop);
    return choices[0]!.logprobs?.content?.length ? "logprobs" : "samples";
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error;
    if (error.status !== undefined) return "samples"; // it refuses to be asked for probabilities
    throw new UserError(`The judge at ${server.config.endpoint} does not answer: ${error.message}`, {
      cause: error,
    });
  }
}

/**
 * The score of a continuation by one criterion, 1 to 5.
 *
 * @throws {Unanswered} where no score of the scale came
 */
export function score(
  item: Rated,
  criterion: string,
  { scoring, samples }: { readonly scoring: Scoring; readonly samples: number },
  server: Server,
  stop: AbortSignal,
): Promise<number> {
  return scoring === "logprobs"
    ? weightedScore(item, criterion, server, stop)
    : sampledScore(item, criterion, samples, server, stop);
}

const WITH_LOGPROBS = { temperature: 0, logprobs: true, top_logprobs: TOP_LOGPROBS };

async function weightedScore(
  item: Rated,
  criterion: string,
  server: Server,
  stop: AbortSignal,
): Promise<number> {
  const { choices: [choice] } = await askScore(item, criterion, server, WITH_LOGPROBS, stop);
  const first = choice!.logprobs?.content?.find(({ token }) => token.trim() !== "");
  if (first === undefined) throw new Unanswered("the answer came without probabilities");
  let [weights, sum] = [0, 0];
  for (const { token, logprob } of first.top_logprobs) {
    const value = scoreIn(token);
    if (value === undefined) continue;
    weights += Math.exp(logprob);
    sum += Math.exp(logprob) * value;
  }
  if (weights < LEAST_SHARE) throw outside(choice!.message.content ?? first.token);
  return sum / weights;
}

async function sampledScore(
  item: Rated,
  criterion: string,
  samples: number,
  server: Server,
  stop: AbortSignal,
): Promise<number> {
  const answers: string[] = [];
  while (answers.length < samples) { // some servers give one answer whatever n is
    const again = answers.length === 0 ? {} : { seed: answers.length }; // else it would equal the request before
    const wish = { temperature: 1, n: samples - answers.length, ...again };
    const { choices } = await askScore(item, criterion, server, wish, stop);
    answers.push(...choices.map(({ message }) => message.content ?? ""));
  }
  const scores = answers.slice(0, samples).map(scoreIn).filter((value) => value !== undefined);
  if (scores.length < LEAST_SHARE * samples) {
    throw outside(answers.find((answer) => scoreIn(answer) === undefined)!);
  }
  return mean(scores)!;
}

function askScore(
  { beginning, continuation }: Rated,
  criterion: string,
  server: Server,
  wish: object,
  stop: AbortSignal,
): Promise<Chat> {
  const { name, definition, steps } = prompts.criteria.find(({ name }) => name === criterion)!;
  const numbered = steps.map((step, i) => `${i + 1}. ${step}`).join("\n");
  return askChat(
    filled(prompts.score, { name, definition, steps: numbered, beginning, continuation }),
    server,
    wish,
    stop,
  );
}

/** The first number where it is a whole one of the scale: `4`, `Score: 4`, `4/5`, `4.` */
export function scoreIn(answer: string): number | undefined {
  const [, number] = /(-?\d+(?:[.,]\d+)?)(?![\d%]|[.,]\d)/.exec(answer) ?? [];
  const value = Number(number?.replace(",", "."));
  return Number.isInteger(value) && value >= LOWEST && value <= HIGHEST ? value : undefined;
}

const outside = (answer: string) =>
  new Unanswered(
    `the judge gave no score from ${LOWEST} to ${HIGHEST} but ${JSON.stringify(answer.slice(0, 40))}`,
  );

/** Which of two continuations is better, as the judge says: by their place, `C` for neither. */
export type Verdict = "A" | "B" | "C";

/** @throws {Unanswered} where the answer is none of the three letters */
export async function verdict(
  beginning: string,
  a: string,
  b: string,
  server: Server,
  stop: AbortSignal,
): Promise<Verdict> {
  const { choices } = await askChat(
    filled(prompts.compare, { beginning, a, b }),
    server,
    { temperature: 0 },
    stop,
  );
  const answer = choices[0]!.message.content ?? "";
  const [, letter] = /^\W*(?:better\W+)?([ABC])\W*$/i.exec(answer) ?? [];
  if (letter !== undefined) return letter.toUpperCase() as Verdict;
  throw new Unanswered(`the judge answered none of A, B and C but ${JSON.stringify(answer.slice(0, 40))}`);
}

function askChat(content: string, server: Server, wish: object, stop: AbortSignal): Promise<Chat> {
  const messages = [{ role: "system", content: prompts.system.join("\n") }, { role: "user", content }];
  return server.ask("chat/completions", { messages, max_tokens: ANSWER_TOKENS, ...wish }, chat, stop);
}

/** The lines with each `{{name}}` replaced, once: what is filled in is not looked at again. */
function filled(lines: readonly string[], values: Record<string, string>): string {
  return lines.join("\n").replace(/\{\{(\w+)\}\}/g, (_, name: string) => values[name]!);
}
