/** A small tokenizer.json: the 256 bytes in their own order, " t" and an end token. */
import { BYTE_CHARACTERS, spell } from "../../src/text/byte_level.ts";

/** What differs from the small one. */
export interface Parts {
  readonly vocab?: Record<string, number>;
  readonly merges?: readonly (string | readonly string[])[];
  readonly added?: readonly {
    readonly id: number;
    readonly content: string;
    readonly [rule: string]: unknown;
  }[];
  readonly model?: Record<string, unknown>;
  readonly normalizer?: unknown;
  readonly pre_tokenizer?: unknown;
  readonly decoder?: unknown;
}

const SPACE_T = spell(new TextEncoder().encode(" t"));

/** The small tokenizer's vocabulary. */
export const VOCAB: Record<string, number> = Object.fromEntries(
  [...BYTE_CHARACTERS, SPACE_T].map((spelling, id) => [spelling, id]),
);

export const BYTE_LEVEL = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };

/** Text of a tokenizer.json. */
export function tokenizerJson({ vocab, merges, added, model, ...rest }: Parts = {}): string {
  return JSON.stringify({
    version: "1.0",
    added_tokens: added ?? [{ id: 257, content: "<|endoftext|>", special: true, normalized: false }],
    normalizer: null,
    pre_tokenizer: BYTE_LEVEL,
    post_processor: null,
    decoder: { type: "ByteLevel" },
    ...rest,
    model: {
      type: "BPE",
      vocab: vocab ?? VOCAB,
      merges: merges ?? [SPACE_T.split("")],
      ...model,
    },
  });
}
