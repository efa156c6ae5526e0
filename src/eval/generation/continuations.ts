/** Prompts from held-out text, each with what really follows there. */

import type { GenerationConfig } from "../../config/schema.ts";
import { type ShardSet, type Split, splitOf } from "../../data/shards.ts";
import { characterStart, cutPrompts, wordEnd } from "../../decode/prompts.ts";
import { UserError } from "../../stage/errors.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";

/** A prompt and its true continuation. */
export interface Excerpt {
  /** Token ids; where the prompt opens a document, the end token first, as in training. */
  readonly prompt: number[];
  readonly promptText: string;
  /** What follows in the document: at most `new_bytes` bytes. */
  readonly reference: string;
}

type Sizes = Pick<GenerationConfig, "prompts" | "prompt_bytes" | "new_bytes">;

/**
 * Cuts excerpts as the decode stage cuts its prompts and parts each in two: the prompt ends with a whole word if it has
 * several, for models of bytes too, so that those of subwords get the same.
 *
 * @throws {UserError} when the split has too little text.
 */
export function cutExcerpts(set: ShardSet, split: Split, tokenizer: Tokenizer, sizes: Sizes): Excerpt[] {
  const { prompts, prompt_bytes, new_bytes } = sizes;
  const excerpts = cutPrompts(set, split, tokenizer, prompts, prompt_bytes + new_bytes).map((ids) => {
    const text = tokenizer.decode(ids);
    const end = wordEnd(text, 0, characterStart(text, Math.min(prompt_bytes, text.length)));
    const prompt = tokenizer.encode(text.subarray(0, end));
    return {
      prompt: ids[0] === tokenizer.end ? [tokenizer.end, ...prompt] : [...prompt],
      promptText: textWithin(text.subarray(0, end), end),
      reference: textWithin(text.subarray(end), new_bytes),
    };
  }).filter(({ reference }) => reference.trim() !== ""); // one word as long as all of the excerpt
  if (excerpts.length > 0) return excerpts;
  throw new UserError(`No excerpt of the ${split} split has text behind its prompt: raise new_bytes`);
}

/** The text of the first bytes, at most so many, ending with a whole character; malformed UTF-8 gives U+FFFD. */
export function textWithin(bytes: Uint8Array, most: number): string {
  const end = bytes.length <= most ? bytes.length : characterStart(bytes, most);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, end));
}

/**
 * Tokens that are sure to hold so many bytes of text, or nearly: of subwords a quarter more than stand for them on
 * average.
 */
export function tokensFor(bytes: number, set: ShardSet, split: Split, tokenizer: Tokenizer): number {
  if (tokenizer.kind === "bytes") return bytes;
  const all = splitOf(set, split);
  return Math.min(bytes, Math.ceil(1.25 * bytes * all.tokens / all.bytes));
}
