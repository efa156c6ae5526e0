/** Byte-level BPE of a tokenizer.json: encoding by the native library, decoding without it. */
import { isUtf8 } from "node:buffer";
import { reading } from "../formats/file_errors.ts";
import type { Piece } from "./added_tokens.ts";
import { check, Handle, native } from "./native.ts";
import { compile } from "./program.ts";
import { type BatchTokenizer, checkId, type EncodedBatch, printable } from "./tokenizer.ts";
import { type BpeModel, parseTokenizer } from "./tokenizer_json.ts";

/** What a tokenizer.json does not say for sure. */
export interface OpenOptions {
  /**
   * The end-of-text token: its content, such as `<|im_end|>`, or its id. If not given, it is the one with a usual name,
   * or the only special one.
   */
  readonly end?: string | number | undefined;
}

/**
 * Reads a tokenizer.json. Decoding, lengths and labels need no native code; the first encoding loads the library.
 *
 * @throws {UserError} where the file cannot be read or is of a kind that this does not do: which is said
 */
export function openTokenizerFile(path: string, options: OpenOptions = {}): BatchTokenizer {
  return openTokenizerText(reading(path, () => Deno.readTextFileSync(path)), path, options);
}

/** {@link openTokenizerFile} for the text of one, such as training gives; `path` is for messages. */
export function openTokenizerText(text: string, path: string, { end }: OpenOptions = {}): BatchTokenizer {
  return new Bpe(parseTokenizer(text, path, end));
}

/** Documents in one buffer, as the native library takes them. */
export interface Joined {
  readonly text: Uint8Array<ArrayBuffer>;
  /** Per document: the byte after it. */
  readonly ends: Float64Array<ArrayBuffer>;
}

/** Puts documents one after the other. */
export function join(documents: readonly Uint8Array[]): Joined {
  const ends = new Float64Array(documents.length);
  let length = 0;
  documents.forEach((document, i) => ends[i] = length += document.length);
  const text = new Uint8Array(length);
  documents.forEach((document, i) => text.set(document, ends[i]! - document.length));
  return { text, ends };
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** The text with malformed UTF-8 replaced by U+FFFD: the same bytes where there is none. */
export const wellFormed = (text: Uint8Array): Uint8Array =>
  isUtf8(text) ? text : encoder.encode(decoder.decode(text));

class Bpe implements BatchTokenizer {
  readonly kind = "bpe";
  readonly vocab: number;
  readonly end: number;
  readonly byteLengths: Uint32Array<ArrayBuffer>;
  readonly #model: BpeModel;
  #encoder: Handle | undefined;

  constructor(model: BpeModel) {
    this.#model = model;
    this.vocab = model.vocab;
    this.end = model.end;
    this.byteLengths = Uint32Array.from({ length: model.vocab }, (_, id) => model.bytes[id]?.length ?? 0);
  }

  encode(text: Uint8Array): Uint32Array<ArrayBuffer> {
    return this.encodeBatch([text], 1).ids;
  }

  encodeBatch(
    documents: readonly Uint8Array[],
    threads: number = navigator.hardwareConcurrency,
  ): EncodedBatch {
    const texts = documents.map(wellFormed);
    const { cut } = this.#model;
    const bytes = Float64Array.from(texts, ({ length }) => length);
    const repaired = texts.reduce((count, text, i) => count + Number(text !== documents[i]), 0);
    const encoded = cut
      ? stitch(texts.map((text) => cut(decoder.decode(text))), (parts) => this.#run(parts, threads))
      : this.#run(texts, threads);
    return { ...encoded, bytes, repaired };
  }

  decode(ids: ArrayLike<number>): Uint8Array<ArrayBuffer> {
    let length = 0;
    for (let i = 0; i < ids.length; i++) {
      checkId(ids[i]!, this.vocab);
      length += this.byteLengths[ids[i]!]!;
    }
    const text = new Uint8Array(length);
    for (let i = 0, at = 0; i < ids.length; i++) {
      const token = this.#model.bytes[ids[i]!];
      if (token === undefined) continue;
      text.set(token, at);
      at += token.length;
    }
    return text;
  }

  label(id: number): string {
    checkId(id, this.vocab);
    const token = this.#model.bytes[id];
    return token ? printable(token) : this.#model.special.get(id) ?? `<unused ${id}>`;
  }

  [Symbol.dispose](): void {
    this.#encoder?.[Symbol.dispose]();
  }

  #run(documents: readonly Uint8Array[], threads: number): Encoded {
    const encoder = this.#encoder ??= makeEncoder(this.#model);
    const { text, ends } = join(documents);
    const idEnds = new Float64Array(documents.length);
    check(native().ft_text_encode(encoder.number, text, ends, documents.length, threads, idEnds));
    const ids = new Uint32Array(idEnds.at(-1) ?? 0);
    check(native().ft_text_take(encoder.number, ids, ids.length));
    return { ids, ends: idEnds };
  }
}

type Encoded = Pick<EncodedBatch, "ids" | "ends">;

/** Encodes the stretches of text of all documents at once and puts the added tokens between them. */
function stitch(documents: readonly Piece[][], run: (texts: readonly Uint8Array[]) => Encoded): Encoded {
  const pieces = documents.flat();
  const texts = pieces.filter((piece) => typeof piece === "string");
  const encoded = run(texts.map((text) => encoder.encode(text)));
  const ids = new Uint32Array(encoded.ids.length + pieces.length - texts.length);
  let [at, text] = [0, 0];
  const ends = Float64Array.from(documents, (document) => {
    for (const piece of document) {
      if (typeof piece === "number") {
        ids[at++] = piece;
        continue;
      }
      const stretch = encoded.ids.subarray(text === 0 ? 0 : encoded.ends[text - 1]!, encoded.ends[text]!);
      ids.set(stretch, at);
      at += stretch.length;
      text++;
    }
    return at;
  });
  return { ids, ends };
}

function makeEncoder({ steps, byteIds, merges, whole, bytes }: BpeModel): Handle {
  const program = compile(steps);
  using splitter = new Handle(
    native().ft_text_splitter(program.classes, program.steps, program.steps.length),
  );
  const { text, ends } = join(whole.map((id) => bytes[id]!));
  return new Handle(
    native().ft_text_encoder(
      splitter.number,
      byteIds,
      merges,
      merges.length / 3,
      text,
      Int32Array.from(ends),
      Int32Array.from(whole),
      whole.length,
    ),
  );
}
