/** Prompts cut from a split: openings of documents, or places spread over the text where documents are few. */
import { BYTE_TOKENIZER, readDocuments, type Split } from "../data/shards.ts";
import { UserError } from "../stage/errors.ts";

const { byteOffset, endToken } = BYTE_TOKENIZER;
const NEWLINE = 0x0a, SPACE = 0x20;

/**
 * `count` prompts of `bytes` bytes each, as token ids. Openings of documents have the end token before them, as in
 * training; places within a document begin after a space or a line break.
 *
 * @throws {UserError} when the split has too little text.
 */
export function cutPrompts(folder: string, split: Split, count: number, bytes: number): number[][] {
  const long = [...readDocuments(folder, split)].filter((document) => document.length >= bytes);
  if (long.length === 0) {
    throw new UserError(`No document of the ${split} split has ${bytes} bytes: lower prompt_bytes`);
  }
  return Array.from({ length: count }, (_, i) => {
    const place = i * long.length / count;
    const document = long[Math.floor(place)]!;
    const share = long.length >= count ? 0 : place % 1;
    const start = wordStart(document, Math.floor(share * (document.length - bytes)), document.length - bytes);
    const ids = Array.from(document.subarray(start, start + bytes), (byte) => byte + byteOffset);
    return start === 0 ? [endToken, ...ids] : ids;
  });
}

/** The first beginning of a word from `from` on, at most `last`. */
function wordStart(text: Uint8Array, from: number, last: number): number {
  if (from === 0) return 0;
  for (let at = from; at <= last; at++) {
    if (text[at - 1] === SPACE || text[at - 1] === NEWLINE) return at;
  }
  return last;
}
