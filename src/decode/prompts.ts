/** Prompts cut from texts: openings of documents, or places spread over the text where documents are few. */
import { Documents } from "../data/documents.ts";
import { type ShardSet, type Split, splitOf } from "../data/shards.ts";
import { UserError } from "../stage/errors.ts";
import type { Tokenizer } from "../text/tokenizer.ts";

/** Documents that prompts are cut from, by number. */
export interface Texts {
  readonly count: number;
  /** Whether a document has so many bytes of text. */
  isLong(document: number, bytes: number): boolean;
  text(document: number): Uint8Array<ArrayBuffer>;
}

/** A prompt, and what its text goes on with. */
export interface Passage {
  readonly prompt: number[];
  /** Ids; the end token is the last one where the document ends. Empty where the prompt is all that is left of it. */
  readonly continuation: number[];
}

/**
 * `count` prompts of at most `bytes` bytes each, as token ids. Openings of documents have the end token before them, as in
 * training; places within a document begin after a space or a line break. A prompt ends with a whole character; where
 * tokens are subwords, also with a whole word if it has several: half of one would be other tokens than those trained on.
 *
 * @throws {UserError} when the split has too little text.
 */
export function cutPrompts(
  set: ShardSet,
  split: Split,
  tokenizer: Tokenizer,
  count: number,
  bytes: number,
): number[][] {
  return passagesOfSplit(set, split, tokenizer, { count, bytes, continuation: 0 })
    .map(({ prompt }) => prompt);
}

/** How many prompts, of how many bytes, and with how many tokens of what follows, each at most. */
export interface Cut {
  readonly count: number;
  readonly bytes: number;
  readonly continuation: number;
}

/** {@link cutPrompts}, with what follows each. @throws {UserError} when the split has too little text. */
export function passagesOfSplit(set: ShardSet, split: Split, tokenizer: Tokenizer, cut: Cut): Passage[] {
  splitOf(set, split); // refuses one without text
  using documents = new Documents(set, split, tokenizer);
  const texts = {
    count: documents.count,
    isLong: (document: number, bytes: number) => isLong(documents, document, bytes),
    text: (document: number) => documents.text(document),
  };
  return cutPassages(texts, `the ${split} split`, tokenizer, cut);
}

/** @param name Of the texts, for a message. @throws {UserError} when no text is long enough. */
export function cutPassages(texts: Texts, name: string, tokenizer: Tokenizer, cut: Cut): Passage[] {
  const { count, bytes } = cut;
  const long = Array.from({ length: texts.count }, (_, i) => i).filter((i) => texts.isLong(i, bytes));
  if (long.length === 0) throw new UserError(`No document of ${name} has ${bytes} bytes: lower prompt_bytes`);
  return Array.from({ length: count }, (_, i) => {
    const place = i * long.length / count;
    const text = texts.text(long[Math.floor(place)]!);
    const share = long.length >= count ? 0 : place % 1;
    const last = text.length - bytes;
    const start = characterStart(text, wordStart(text, Math.floor(share * last), last));
    let end = characterStart(text, start + bytes);
    if (tokenizer.kind === "bpe") end = wordEnd(text, start, end);
    const ids = tokenizer.encode(text.subarray(start, end));
    return {
      prompt: start === 0 ? [tokenizer.end, ...ids] : [...ids],
      continuation: continuationOf(text, end, tokenizer, cut.continuation),
    };
  });
}

/** Bytes of text that are cut for each token of a continuation: few tokens of a vocabulary stand for more. */
const BYTES_PER_TOKEN = 16;

/** The first `most` tokens of the text from `start` on. */
function continuationOf(text: Uint8Array, start: number, tokenizer: Tokenizer, most: number): number[] {
  const end = characterStart(text, Math.min(text.length, start + most * BYTES_PER_TOKEN));
  const ids = [...tokenizer.encode(text.subarray(start, end))];
  if (end === text.length) ids.push(tokenizer.end);
  return ids.slice(0, most);
}

function isLong(documents: Documents, document: number, bytes: number): boolean {
  const { byteLengths, kind } = documents.tokenizer;
  if (kind === "bytes") return documents.length(document) >= bytes;
  let sum = 0;
  for (const id of documents.tokens(document, bytes)) sum += byteLengths[id] ?? 0;
  return sum >= bytes;
}

const isSpace = (byte: number | undefined) => byte === 0x20 || byte === 0x0a;

/** The first beginning of a word from `from` on, at most `last`. */
function wordStart(text: Uint8Array, from: number, last: number): number {
  if (from === 0) return 0;
  for (let at = from; at <= last; at++) if (isSpace(text[at - 1])) return at;
  return last;
}

/** The last end of a word up to `end`; `end` where no word behind the first ends there. */
export function wordEnd(text: Uint8Array, start: number, end: number): number {
  for (let at = end; at > start; at--) {
    if ((at === text.length || isSpace(text[at])) && !isSpace(text[at - 1])) return at;
  }
  return end;
}

/** The beginning of the UTF-8 character that a place is in, or the place itself where the text is malformed. */
export function characterStart(text: Uint8Array, place: number): number {
  for (let at = place; at >= Math.max(0, place - 3); at--) if (((text[at] ?? 0) & 0xc0) !== 0x80) return at;
  return place;
}
