/**
 * The short way to a JSON record's text: where the text is the first member, as most corpora have it, its bytes are
 * unescaped in place and only what follows is parsed. What the short way does not know for sure is left to JSON.parse.
 */

import { isUtf8 } from "node:buffer";

const QUOTE = 34, COMMA = 44, BACKSLASH = 92, CLOSE = 125, SPACE = 32;
/** What `\` and a letter stand for; 0: nothing, or more than a byte. */
const ESCAPED = new Uint8Array(256);
for (
  const [letter, byte] of Object.entries({ '"': 34, "\\": 92, "/": 47, b: 8, f: 12, n: 10, r: 13, t: 9 })
) {
  ESCAPED[letter.charCodeAt(0)] = byte;
}

/** Finds texts under one key. */
export class FirstText {
  /** How a record begins: `{"text":"` and `{"text": "`. */
  readonly #starts: readonly Uint8Array[];
  readonly #decoder = new TextDecoder();
  #text = new Uint8Array(1 << 16);

  constructor(readonly key: string) {
    const member = `{${JSON.stringify(key)}:`;
    this.#starts = [`${member}"`, `${member} "`].map((start) => new TextEncoder().encode(start));
  }

  /**
   * The text, valid until the next call, if `record` is a JSON object whose first member it is, and if no escape in it
   * stands for more than a byte; else undefined, which says nothing about the record.
   */
  of(record: Uint8Array): Uint8Array | undefined {
    const start = this.#starts.find((start) => startsWith(record, start))?.length;
    if (start === undefined) return undefined;
    if (record.length > this.#text.length) this.#text = new Uint8Array(2 * record.length);
    const text = this.#text;
    let length = 0;
    let i = start;
    for (; i < record.length; i++) {
      let byte = record[i]!;
      if (byte === QUOTE) break;
      if (byte < SPACE) return undefined; // not allowed in a string
      if (byte === BACKSLASH) {
        byte = ESCAPED[record[++i]!]!;
        if (byte === 0) return undefined;
      }
      text[length++] = byte;
    }
    if (!this.#isRest(record, i + 1) || !isUtf8(record)) return undefined;
    return text.subarray(0, length);
  }

  /** Whether an object can go on so behind its first member, which no other member replaces. */
  #isRest(record: Uint8Array, at: number): boolean {
    if (record[at] === CLOSE) return at === record.length - 1;
    if (record[at] !== COMMA) return false;
    const next = record[at + 1] === SPACE ? at + 2 : at + 1;
    if (record[next] !== QUOTE) return false;
    try {
      const rest = JSON.parse(`{${this.#decoder.decode(record.subarray(next))}`);
      return !Object.hasOwn(rest, this.key);
    } catch {
      return false;
    }
  }
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  for (let i = 0; i < start.length; i++) if (bytes[i] !== start[i]) return false;
  return true;
}
