/** Prompts cut from a split: openings of documents, or places spread over the text where documents are few. */
import { Documents } from "../data/documents.ts";
import { type ShardSet, type Split, splitOf } from "../data/shards.ts";
import { UserError } from "../stage/errors.ts";
import type { Tokenizer } from "../text/tokenizer.ts";

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
  splitOf(set, split); // refuses one without text
  using documents = new Documents(set, split, tokenizer);
  const long = longDocuments(documents, bytes);
  if (long.length === 0) {
    throw new UserError(`No document of the ${split} split has ${bytes} bytes: lower prompt_bytes`);
  }
  return Array.from({ length: count }, (_, i) => {
    const place = i * long.length / count;
    const text = documents.text(long[Math.floor(place)]!);
    const share = long.length >= count ? 0 : place % 1;
    const last = text.length - bytes;
    const start = characterStart(text, wordStart(text, Math.floor(share * last), last));
    let end = characterStart(text, start + bytes);
    if (tokenizer.kind === "bpe") end = wordEnd(text, start, end);
    const ids = tokenizer.encode(text.subarray(start, end));
    return start === 0 ? [tokenizer.end, ...ids] : [...ids];
  });
}

/** Numbers of the documents that have this many bytes of text. */
function longDocuments(documents: Documents, bytes: number): number[] {
  const { byteLengths, kind } = documents.tokenizer;
  const isLong = (document: number) => {
    const tokens = documents.length(document);
    if (kind === "bytes") return tokens >= bytes;
    let sum = 0;
    for (const id of documents.tokens(document, bytes)) sum += byteLengths[id] ?? 0;
    return sum >= bytes;
  };
  return Array.from({ length: documents.count }, (_, i) => i).filter(isLong);
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
