/**
 * Trains byte-level BPE on a sample of text, in the native library.
 *
 * The result depends on the documents only, not on their order or the number of threads: the pair that comes most
 * often is merged first, of equals the one with the smaller ids. Ids are those of special tokens, then of the bytes in
 * the order of their characters, then of merges: so merges equal those of the public `tokenizers` trainer.
 */
import { UserError } from "../stage/errors.ts";
import { join, wellFormed } from "./bpe.ts";
import { BYTE_CHARACTERS } from "./byte_level.ts";
import { check, Handle, native } from "./native.ts";
import { GPT4_PATTERN, preTokenizerSteps } from "./pre_tokenizer.ts";
import { compile } from "./program.ts";
import { byteLevel, tokenizerFile } from "./tokenizer_file.ts";
import { MAX_ID } from "./tokenizer_json.ts";

/** How a tokenizer is trained. */
export interface TrainOptions {
  /** Ids in all: special tokens, the 256 bytes, then the merges. Fewer if the text has no more pairs to merge. */
  readonly vocab: number;
  /** How text is cut into the words in which tokens stay: as GPT-4 does (if not given) or as GPT-2. */
  readonly pattern?: "gpt4" | "gpt2";
  /** Special tokens, ids 0 and up; the first ends a text. `<|endoftext|>` alone if not given. */
  readonly special?: readonly string[];
  /** Threads that count words; all processors if not given. */
  readonly threads?: number;
}

/**
 * The text of a tokenizer.json trained on documents, which are read once, one after the other.
 *
 * @throws {UserError} for options that cannot be met, or where the native library cannot be loaded
 */
export function trainBpe(documents: Iterable<Uint8Array>, options: TrainOptions): string {
  using trainer = new BpeTrainer(options);
  for (const document of documents) trainer.add(document);
  return trainer.train();
}

/** Bytes of documents that are counted at a time. */
const BATCH_BYTES = 1 << 22;

/** {@link trainBpe} for documents that arrive one by one. Memory grows with the different words in them. */
export class BpeTrainer implements Disposable {
  readonly #special: readonly string[];
  readonly #preTokenizer: unknown;
  readonly #byteIds: Int32Array<ArrayBuffer>;
  readonly #merges: number;
  readonly #threads: number;
  readonly #trainer: Handle;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #bytes = 0;

  /** @throws {UserError} for options that cannot be met, or where the native library cannot be loaded */
  constructor(options: TrainOptions) {
    const { vocab, pattern = "gpt4", special = ["<|endoftext|>"] } = options;
    const first = special.length + BYTE_CHARACTERS.length;
    if (special.length === 0 || special.includes("") || new Set(special).size < special.length) {
      throw new UserError("A tokenizer needs special tokens that differ, the first to end a text");
    }
    if (!(Number.isInteger(vocab) && vocab >= first && vocab <= MAX_ID)) {
      const least = `${special.length} special and 256 bytes`;
      throw new UserError(
        `A vocabulary of ${vocab} cannot be: it is at least ${first} (${least}), at most ${MAX_ID}`,
      );
    }
    this.#special = special;
    this.#threads = options.threads ?? navigator.hardwareConcurrency;
    this.#merges = vocab - first;
    this.#preTokenizer = preTokenizer(pattern);
    // Characters in the order of their code points.
    const order = [...BYTE_CHARACTERS].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
    this.#byteIds = Int32Array.from(
      BYTE_CHARACTERS,
      (character) => special.length + order.indexOf(character),
    );
    const program = compile(preTokenizerSteps(this.#preTokenizer));
    using splitter = new Handle(
      native().ft_text_splitter(program.classes, program.steps, program.steps.length),
    );
    this.#trainer = new Handle(native().ft_text_trainer(splitter.number, this.#byteIds, first));
  }

  /** Bytes of text so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Counts the words of a document, which must not change before {@link train}. */
  add(document: Uint8Array): void {
    this.#waiting.push(document);
    this.#waitingBytes += document.length;
    this.#bytes += document.length;
    if (this.#waitingBytes >= BATCH_BYTES) this.#count();
  }

  /** The text of a tokenizer.json. Only once. */
  train(): string {
    this.#count();
    const made = check(native().ft_text_train(this.#trainer.number, this.#merges));
    const merges = new Int32Array(made * 2);
    check(native().ft_text_merges(this.#trainer.number, merges, made));
    return this.#json(merges);
  }

  [Symbol.dispose](): void {
    this.#trainer[Symbol.dispose]();
  }

  #count(): void {
    const { text, ends } = join(this.#waiting.map(wellFormed));
    check(native().ft_text_count(this.#trainer.number, text, ends, ends.length, this.#threads));
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  #json(merges: Int32Array): string {
    const spellings = [...this.#special];
    BYTE_CHARACTERS.forEach((character, byte) => spellings[this.#byteIds[byte]!] = character);
    const lines: string[] = [];
    for (let i = 0; i < merges.length; i += 2) {
      const [left, right] = [spellings[merges[i]!]!, spellings[merges[i + 1]!]!];
      lines.push(`${left} ${right}`);
      spellings.push(left + right);
    }
    const word = this.#special.find((name, id) => spellings.indexOf(name, id + 1) >= 0);
    if (word !== undefined) {
      throw new UserError(
        `The special token "${word}" is also a word of the text: choose one such as <|${word}|>`,
      );
    }
    return tokenizerFile({
      special: this.#special,
      spellings,
      merges: lines,
      preTokenizer: this.#preTokenizer,
    });
  }
}

function preTokenizer(pattern: "gpt4" | "gpt2"): unknown {
  if (pattern === "gpt2") return byteLevel(true);
  const split = { type: "Split", pattern: { Regex: GPT4_PATTERN }, behavior: "Isolated", invert: false };
  return { type: "Sequence", pretokenizers: [split, byteLevel(false)] };
}
