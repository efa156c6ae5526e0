/** What a tokenizer is, and the one that needs no file: bytes. Byte-level BPE is in bpe.ts. */

/** Text to ids and back. Text is bytes, UTF-8 where it is well-formed. */
export interface Tokenizer extends Disposable {
  readonly kind: "bytes" | "bpe";
  /** Rows that an embedding needs: the largest id + 1. */
  readonly vocab: number;
  /** Id of the end-of-text token. */
  readonly end: number;
  /**
   * Ids of one document or prompt, without an end token. The text of a special token is text like any other.
   *
   * @throws {UserError} where the native library cannot be loaded (BPE only)
   */
  encode(text: Uint8Array): Uint32Array<ArrayBuffer>;
  /** The bytes that ids stand for; special tokens stand for none. Throws a RangeError for an id past `vocab`. */
  decode(ids: ArrayLike<number>): Uint8Array<ArrayBuffer>;
  /** Bytes of text that each id stands for: 0 for special tokens and for ids without a token. */
  readonly byteLengths: Uint32Array<ArrayBuffer>;
  /** A printable form of one token: control characters and parts of characters are escaped. */
  label(id: number): string;
}

/** Many documents at once, over threads: the hot path of data preparation. */
export interface BatchTokenizer extends Tokenizer {
  /**
   * Ids of many documents, without end tokens. The result does not depend on the number of threads.
   *
   * @param threads At most so many; all processors if not given.
   * @throws {UserError} where the native library cannot be loaded
   */
  encodeBatch(documents: readonly Uint8Array[], threads?: number): EncodedBatch;
}

/** The ids of documents, one after the other. */
export interface EncodedBatch {
  readonly ids: Uint32Array<ArrayBuffer>;
  /** Per document: where it ends in `ids`. */
  readonly ends: Float64Array<ArrayBuffer>;
  /** Per document: bytes of its text, malformed UTF-8 replaced by U+FFFD (3 bytes). */
  readonly bytes: Float64Array<ArrayBuffer>;
  /** Documents in which malformed UTF-8 was replaced. */
  readonly repaired: number;
}

/** Ids of {@link byteTokenizer} below this one are special: byte b has id b + 64, as EvaByte's. */
const BYTE_OFFSET = 64;
const BYTE_VOCAB = BYTE_OFFSET + 256;
const BYTE_END = 0;

/** Each byte is a token. Of the special ids only the end token's is used. */
export function byteTokenizer(): Tokenizer {
  return BYTES;
}

const BYTES: Tokenizer = {
  kind: "bytes",
  vocab: BYTE_VOCAB,
  end: BYTE_END,
  byteLengths: Uint32Array.from({ length: BYTE_VOCAB }, (_, id) => id < BYTE_OFFSET ? 0 : 1),
  encode: (text) => Uint32Array.from(text, (byte) => byte + BYTE_OFFSET),
  decode: (ids) => {
    for (let i = 0; i < ids.length; i++) checkId(ids[i]!, BYTE_VOCAB);
    return Uint8Array.from(Array.from(ids).filter((id) => id >= BYTE_OFFSET), (id) => id - BYTE_OFFSET);
  },
  label: (id) => {
    checkId(id, BYTE_VOCAB);
    if (id === BYTE_END) return "<end>";
    return id < BYTE_OFFSET ? `<special ${id}>` : printable(Uint8Array.of(id - BYTE_OFFSET));
  },
  [Symbol.dispose]: () => {},
};

/** Throws a RangeError unless `id` is one of `vocab` ids. */
export function checkId(id: number, vocab: number): void {
  if (!(Number.isInteger(id) && id >= 0 && id < vocab)) {
    throw new RangeError(`There is no token ${id}: ids go from 0 to ${vocab - 1}`);
  }
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes as a reader wants to see them: `·the`, `\n`, `\xe2\x80` for what is no whole character. */
export function printable(bytes: Uint8Array): string {
  let text: string;
  try {
    text = strict.decode(bytes);
  } catch {
    return Array.from(bytes, (byte) => byte < 0x80 ? escaped(String.fromCharCode(byte)) : hex(byte)).join("");
  }
  return Array.from(text, escaped).join("");
}

const NAMED: Record<string, string> = { "\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\", " ": "·" };

/** One character; what has no ink of its own is escaped. */
function escaped(character: string): string {
  const name = NAMED[character];
  if (name !== undefined) return name;
  const code = character.codePointAt(0)!;
  if (code < 0x80 && /\p{Cc}/u.test(character)) return hex(code);
  return /[\p{C}\p{Z}\p{M}]/u.test(character) ? `\\u{${code.toString(16)}}` : character;
}

const hex = (byte: number): string => `\\x${byte.toString(16).padStart(2, "0")}`;
