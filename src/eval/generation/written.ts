/** What the arms write: each continues the same prompts, greedily and sampled. */

import type { GenerationConfig } from "../../config/schema.ts";
import type { Sampling } from "../../decode/sampling.ts";
import { Interrupted, UserError } from "../../stage/errors.ts";
import type { StageIo } from "../../stage/io.ts";
import { turn } from "../../stage/turn.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { Arm } from "../../train/arm.ts";
import { type Excerpt, textWithin } from "./continuations.ts";
import { type Generate, generatorOf } from "./generate.ts";

/** How tokens were chosen. */
export type OutputKind = "greedy" | "sampled";

/** The continuations of one arm; texts in the order of the prompts. */
export interface Written {
  readonly id: string;
  readonly curriculum: string;
  readonly outputs: readonly { readonly kind: OutputKind; readonly texts: readonly string[] }[];
}

/** Prompts that are generated for between two looks at whether to stop. */
const BATCH = 8;

/** What is asked of every arm. */
export interface Order {
  readonly excerpts: readonly Excerpt[];
  readonly config: GenerationConfig;
  /** Most new tokens a prompt. */
  readonly newTokens: number;
  readonly seed: number;
  readonly tokenizer: Tokenizer;
}

/**
 * Has an arm continue all prompts.
 *
 * @throws {UserError} where they do not fit its context
 */
export async function write(arm: Arm, order: Order, io: StageIo): Promise<Written> {
  const { id, curriculum, model } = arm;
  const { excerpts, config: { greedy, sampled }, newTokens, tokenizer } = order;
  const longest = Math.max(...excerpts.map(({ prompt }) => prompt.length));
  if (longest + newTokens > model.shape.context) {
    throw new UserError(
      `A prompt of ${longest} tokens and its continuation (${newTokens}) do not fit the context of ${id} ` +
        `(${model.shape.context}): lower generation's new_bytes or prompt_bytes`,
    );
  }
  const generate = generatorOf(model, tokenizer.end);
  const kinds: [OutputKind, Sampling | null][] = [
    ...(greedy ? [["greedy", null] as [OutputKind, null]] : []),
    ...(sampled === false ? [] : [["sampled", sampled] as [OutputKind, Sampling]]),
  ];
  const outputs = [];
  for (const [kind, sampling] of kinds) {
    outputs.push({ kind, texts: await continueAll(generate, sampling, order, io, `${id}: ${kind}`) });
  }
  return { id, curriculum, outputs };
}

async function continueAll(
  generate: Generate,
  sampling: Sampling | null,
  { excerpts, config, newTokens, seed, tokenizer }: Order,
  io: StageIo,
  title: string,
): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < excerpts.length) {
    const prompts = excerpts.slice(texts.length, texts.length + BATCH).map(({ prompt }) => prompt);
    const options = { newTokens, sampling, seed: (seed + texts.length) % 2 ** 32 };
    for (const tokens of generate(prompts, options)) {
      texts.push(textWithin(tokenizer.decode(tokens), config.new_bytes));
    }
    io.progress(`${title}, ${texts.length} of ${excerpts.length} continuations`);
    await turn(); // signals get theirs
    if (io.stop.aborted) throw new Interrupted("stopped; the same command starts the evaluation again");
  }
  return texts;
}
