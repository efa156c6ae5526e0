/** Writes a tokenizer.json of byte-level BPE, which public tools load. */

/** What differs from one such file to another. */
export interface TokenizerParts {
  /** Content of the special tokens, ids 0 and up. */
  readonly special: readonly string[];
  /** Spelling of every id, special tokens included. */
  readonly spellings: readonly string[];
  /** Pairs of spellings, a space between them, by rank. */
  readonly merges: readonly string[];
  readonly preTokenizer: unknown;
}

/** ByteLevel as a pre-tokenizer; `useRegex`: it cuts by GPT-2's pattern itself. */
export const byteLevel = (useRegex: boolean) => ({
  type: "ByteLevel",
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: useRegex,
});

/** The file's text. */
export function tokenizerFile({ special, spellings, merges, preTokenizer }: TokenizerParts): string {
  const json = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special.map(specialToken),
    normalizer: null,
    pre_tokenizer: preTokenizer,
    post_processor: null,
    decoder: byteLevel(false),
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(spellings.map((spelling, id) => [spelling, id])),
      merges,
    },
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

const specialToken = (content: string, id: number) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});
