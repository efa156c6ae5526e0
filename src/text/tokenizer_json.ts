/** Reads a tokenizer.json of byte-level BPE, as GPT-2, Llama 3 or SmolLM have it; refuses others by name. */
import { z } from "zod";
import { parseJson } from "../formats/json.ts";
import { UserError } from "../stage/errors.ts";
import { type AddedToken, cutter, type Piece } from "./added_tokens.ts";
import { BYTE_CHARACTERS, unspell } from "./byte_level.ts";
import { normalizer } from "./normalizer.ts";
import { preTokenizerSteps } from "./pre_tokenizer.ts";
import type { Step } from "./program.ts";

/** What a tokenizer.json says. */
export interface BpeModel {
  /** The largest id + 1. */
  readonly vocab: number;
  /** Id of the end-of-text token. */
  readonly end: number;
  /** Bytes of each id; undefined for special tokens and for ids without a token. */
  readonly bytes: readonly (Uint8Array | undefined)[];
  /** Names of special tokens. */
  readonly special: ReadonlyMap<number, string>;
  /** Id of each byte, or -1: such a byte is dropped, as `tokenizers` does. */
  readonly byteIds: Int32Array<ArrayBuffer>;
  /** Left, right and new id of each merge, by rank. */
  readonly merges: Int32Array<ArrayBuffer>;
  /** `ignore_merges`: a piece of text that is one of these tokens as a whole is not merged. */
  readonly whole: readonly number[];
  readonly steps: readonly Step[];
  /** Cuts a text at added tokens and normalises it; undefined where it stays as it is. */
  readonly cut: ((text: string) => Piece[]) | undefined;
}

const typed = z.looseObject({ type: z.string() });

const fileSchema = z.looseObject({
  model: z.looseObject({
    type: z.literal("BPE").optional(), // files of before 2020 have none
    dropout: z.number().nullish(),
    unk_token: z.string().nullish(),
    continuing_subword_prefix: z.string().nullish(),
    end_of_word_suffix: z.string().nullish(),
    byte_fallback: z.boolean().nullish(),
    ignore_merges: z.boolean().nullish(),
    vocab: z.custom<Record<string, number>>(isVocab, "expected a number for each token"),
    merges: z.custom<(string | [string, string])[]>(areMerges, "expected pairs of tokens"),
  }),
  added_tokens: z.array(z.object({
    id: z.int().nonnegative(),
    content: z.string(),
    single_word: z.boolean().default(false),
    lstrip: z.boolean().default(false),
    rstrip: z.boolean().default(false),
    normalized: z.boolean().default(true),
    special: z.boolean().default(false),
  })).default([]),
  normalizer: z.unknown().optional(),
  pre_tokenizer: z.unknown().optional(),
  decoder: z.looseObject({ type: z.string(), decoders: z.array(typed).optional() }).nullish(),
  // Not read: post_processor (puts start tokens around a prompt; shards have end tokens only), truncation and padding
  // (cut and fill; blocks are made later).
});

type File = z.output<typeof fileSchema>;

const encoder = new TextEncoder();

/** More ids than any vocabulary has: a wrong one does not fill the memory. */
export const MAX_ID = 1 << 24;

function isVocab(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).every((id) => Number.isInteger(id) && id >= 0 && id < MAX_ID);
}

// Written out, as is isVocab(): a schema of each merge takes seconds for a large vocabulary.
function areMerges(value: unknown): boolean {
  const isPair = (merge: unknown) => Array.isArray(merge) && merge.length === 2 && merge.every(isString);
  return Array.isArray(value) && value.every((merge) => isString(merge) || isPair(merge));
}

const isString = (value: unknown): value is string => typeof value === "string";

/**
 * Parses the text of a tokenizer.json.
 *
 * @param path For messages.
 * @param end Content or id of the end-of-text token; looked for if not given.
 * @throws {UserError} where it is none, or asks for what is not done here: which is named
 */
export function parseTokenizer(text: string, path: string, end: string | number | undefined): BpeModel {
  const json = parseJson(text, `"${path}"`);
  try {
    return read(json, end);
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    throw new UserError(`Cannot use the tokenizer "${path}": ${cause.message}`, { cause });
  }
}

function read(json: unknown, end: string | number | undefined): BpeModel {
  const file = parseFile(json);
  const ids = new Map(Object.entries(file.model.vocab));
  refuseModel(file, ids);
  refuseDecoder(file);
  const steps = preTokenizerSteps(file.pre_tokenizer);
  const normalize = normalizer(file.normalizer);
  const endId = endOf(file, end);
  const added = file.added_tokens.map((token) => addedToken(token, ids, endId));
  const special = new Map(added.filter(({ special }) => special).map(({ id, content }) => [id, content]));
  const bytes: (Uint8Array | undefined)[] = [];
  for (const [spelling, id] of ids) bytes[id] = unspell(spelling) ?? encoder.encode(spelling);
  // Added tokens are text as it is, not spelled in the byte alphabet.
  for (const { id, content, special } of added) bytes[id] = special ? undefined : encoder.encode(content);
  return {
    vocab: bytes.length,
    end: endId,
    bytes,
    special,
    byteIds: Int32Array.from(BYTE_CHARACTERS, (character) => ids.get(character) ?? -1),
    merges: mergesOf(file, ids),
    whole: file.model.ignore_merges
      ? [...ids].filter(([spelling, id]) => !special.has(id) && unspell(spelling)).map(([, id]) => id)
      : [],
    steps,
    cut: cutter(added, normalize),
  };
}

function parseFile(json: unknown): File {
  const kind = z.object({ model: typed }).safeParse(json);
  if (kind.success && kind.data.model.type !== "BPE") {
    throw new UserError(`its model is ${kind.data.model.type}, and only byte-level BPE is known here`);
  }
  const parsed = fileSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw new UserError(`${path.join(".") || "the file"}: ${message}`);
}

function refuseModel({ model, pre_tokenizer }: File, ids: ReadonlyMap<string, number>): void {
  const refuse = (what: string) => {
    throw new UserError(`its model ${what}, which is not known here`);
  };
  if (model.byte_fallback && !JSON.stringify(pre_tokenizer ?? null).includes('"ByteLevel"')) {
    throw new UserError("it is BPE over characters with byte_fallback, as Llama 2's, and not byte-level BPE");
  }
  if (model.dropout) refuse(`has dropout ${model.dropout}`);
  if (model.continuing_subword_prefix) {
    refuse(`has the continuing_subword_prefix "${model.continuing_subword_prefix}"`);
  }
  if (model.end_of_word_suffix) refuse(`has the end_of_word_suffix "${model.end_of_word_suffix}"`);
  const missing = BYTE_CHARACTERS.findIndex((character) => !ids.has(character));
  if (missing < 0) return; // every byte has a token: there is nothing unknown
  if (model.unk_token) refuse(`has the unk_token "${model.unk_token}" and no token for byte ${missing}`);
  if (model.byte_fallback) refuse(`has byte_fallback and no token for byte ${missing}`);
}

function refuseDecoder({ decoder }: File): void {
  if (!decoder) return;
  const names = (decoder.decoders ?? [decoder]).map(({ type }) => type);
  const other = names.find((name) => name !== "ByteLevel" && name !== "Fuse");
  if (other !== undefined) throw new UserError(`its decoder is ${other}, and only ByteLevel is known here`);
}

function addedToken(
  token: File["added_tokens"][number],
  ids: ReadonlyMap<string, number>,
  end: number,
): AddedToken {
  const { id, content, normalized } = token;
  const own = ids.get(content);
  if (own !== undefined && own !== id) {
    throw new UserError(`its added token "${content}" has id ${id}, and ${own} in the vocabulary`);
  }
  if (id >= MAX_ID) throw new UserError(`its added token "${content}" has id ${id}`);
  const special = token.special || id === end;
  const rule = (["single_word", "lstrip", "rstrip"] as const).find((rule) => token[rule]);
  if (rule && !special) {
    throw new UserError(`its added token "${content}" has ${rule}, which is not known here`);
  }
  return { id, content, normalized, special };
}

/** Names of the end-of-text token: of GPT-2 and SmolLM, of Llama 3, of RoBERTa and others. */
const USUAL_ENDS = ["<|endoftext|>", "<|end_of_text|>", "</s>"];

function endOf({ added_tokens }: File, end: string | number | undefined): number {
  if (end !== undefined) {
    const named = added_tokens.find(({ content, id }) => content === end || id === end);
    if (!named) throw new UserError(`it has no added token ${JSON.stringify(end)} to end a text with`);
    return named.id;
  }
  for (const name of USUAL_ENDS) {
    const usual = added_tokens.find(({ content }) => content === name);
    if (usual) return usual.id;
  }
  const [only, ...others] = added_tokens.filter(({ special }) => special);
  if (only && others.length === 0) return only.id;
  throw new UserError(
    `none of its added tokens is ${USUAL_ENDS.join(" or ")}: name the one that ends a text in end_token`,
  );
}

function mergesOf({ model }: File, ids: ReadonlyMap<string, number>): Int32Array<ArrayBuffer> {
  const merges = new Int32Array(model.merges.length * 3);
  model.merges.forEach((merge, i) => {
    const parts = typeof merge === "string" ? merge.split(" ") : merge;
    const [left, right] = parts;
    if (parts.length !== 2) throw new UserError(`its merge ${i} is not of two tokens: "${merge}"`);
    [left!, right!, left! + right!].forEach((spelling, k) => {
      const id = ids.get(spelling);
      if (id === undefined) {
        throw new UserError(`its merge ${i} is of "${left}" and "${right}", and "${spelling}" is no token`);
      }
      merges[3 * i + k] = id;
    });
  });
  return merges;
}
