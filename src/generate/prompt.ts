/** Prompts: the text that a model is to continue, as tokens, and what of them fits its context. */
import { UsageError, UserError } from "../stage/errors.ts";
import { printable, type Tokenizer } from "../text/tokenizer.ts";

/** A prompt that fits. */
export interface Prompt {
  readonly text: string;
  readonly ids: readonly number[];
  /** Tokens that may follow. */
  readonly newTokens: number;
  /** Tokens that were cut from its beginning. */
  readonly cut: number;
}

/** New tokens where their number is not asked for. */
export const USUAL_TOKENS = 256;

/**
 * The end token and the text, as documents begin in training. What does not fit the context beside the new tokens is cut
 * from the beginning. Where their number is not asked for, the prompt may leave as little as half of the context to them.
 *
 * @param wanted New tokens; null: {@link USUAL_TOKENS}, or as many as fit.
 * @throws {UserError} when so many new tokens fit no prompt, or the tokenizer has no token for a character.
 */
export function promptOf(
  text: string,
  tokenizer: Tokenizer,
  context: number,
  wanted: number | null,
): Prompt {
  if (wanted !== null && wanted >= context) {
    throw new UsageError(
      `--tokens ${wanted}: the model's context is ${context} tokens, of which the prompt takes at least one`,
    );
  }
  const bytes = new TextEncoder().encode(text);
  const all = [tokenizer.end, ...tokenizer.encode(bytes)];
  checkKnown(text, bytes, all, tokenizer);
  const room = Math.max(context - all.length, Math.floor(context / 2));
  const newTokens = wanted ?? Math.min(USUAL_TOKENS, room);
  const ids = wholeFrom(all.slice(Math.max(0, all.length + newTokens - context)), tokenizer);
  return { text, ids, newTokens, cut: all.length - ids.length };
}

/** What was cut, for a reader. */
export function cutInWords({ ids, newTokens, cut }: Prompt, context: number): string {
  return `${cut} tokens were cut from the prompt's beginning: ${ids.length} are left, which fit the context of ` +
    `${context} together with ${newTokens} new ones`;
}

/** Bytes of a UTF-8 character behind its first. */
const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

/** Tokens without what a cut has left of a character at their beginning; at least one stays. */
function wholeFrom(ids: readonly number[], tokenizer: Tokenizer): number[] {
  let at = 0;
  while (at < 3 && at + 1 < ids.length && isContinuation(tokenizer.decode([ids[at]!])[0])) at++;
  return ids.slice(at);
}

/** A byte without a token is left out by subword tokenizers; text that one has normalized is another matter. */
function checkKnown(text: string, bytes: Uint8Array, ids: readonly number[], tokenizer: Tokenizer): void {
  if (isSame(tokenizer.decode(ids), bytes)) return;
  const known = new Set<number>();
  tokenizer.byteLengths.forEach((length, id) => {
    if (length === 1) known.add(tokenizer.decode([id])[0]!);
  });
  const encoder = new TextEncoder();
  const unknown = Array.from(text).find((character) => encoder.encode(character).some((b) => !known.has(b)));
  if (unknown === undefined) return;
  throw new UserError(`The model's tokenizer has no token for "${printable(encoder.encode(unknown))}"`);
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);
