/**
 * The byte tokenizer as a tokenizer.json that public tools load: byte-level BPE without merges, in which byte b has id
 * b + 64 and the 64 special tokens come before. As everywhere in those tools, the text of a special token inside a
 * document becomes that token; prepare treats it as text.
 */
import { BYTE_CHARACTERS } from "../text/byte_level.ts";
import { byteLevel, tokenizerFile } from "../text/tokenizer_file.ts";

const SPECIALS = 64;

/** The special tokens by id; only the first has a meaning. */
export const BYTE_SPECIALS: readonly string[] = Array.from(
  { length: SPECIALS },
  (_, id) => id === 0 ? "<|endoftext|>" : `<|reserved_${id}|>`,
);

/** The file's text. */
export function byteTokenizerJson(): string {
  return tokenizerFile({
    special: BYTE_SPECIALS,
    spellings: [...BYTE_SPECIALS, ...BYTE_CHARACTERS],
    merges: [],
    preTokenizer: byteLevel(false),
  });
}
