/** The tokenizer of an exported model: tokenizer.json, and what transformers wants to know beside it. */
import { join } from "node:path";
import { sha256OfFile } from "../formats/atomic.ts";
import { reading } from "../formats/file_errors.ts";
import { parseJson } from "../formats/json.ts";
import type { ModelShape } from "../model/shape.ts";
import { UserError } from "../stage/errors.ts";
import type { Finished } from "../train/finished.ts";
import { BYTE_SPECIALS, byteTokenizerJson } from "./byte_tokenizer.ts";

/** Files by name, and the id of the token that ends a document. */
export interface TokenizerFiles {
  readonly end: number;
  readonly files: readonly (readonly [name: string, bytes: Uint8Array])[];
}

/** What meta.json says of a tokenizer, as far as it matters here. */
interface Info {
  readonly kind: "bytes" | "bpe";
  readonly endToken: number;
  readonly sha256?: string;
}

const utf8 = (text: string) => new TextEncoder().encode(text);

/**
 * @param folders Shard sets, one of which was made with the arm's tokenizer.
 * @throws {UserError} where none of them was.
 */
export function tokenizerFiles(
  { id, tokenizer }: Finished,
  folders: readonly string[],
  { context }: ModelShape,
): TokenizerFiles {
  const { kind, endToken: end, sha256 } = tokenizer as Info;
  const json = kind === "bytes" ? byteTokenizerJson() : readTokenizer(id, sha256!, folders);
  const endOfText = kind === "bytes" ? BYTE_SPECIALS[end]! : tokenOf(json, end);
  const settings = {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: endOfText,
    eos_token: endOfText,
    model_max_length: context,
    clean_up_tokenization_spaces: false,
  };
  return {
    end,
    files: [
      ["tokenizer.json", utf8(json)],
      ["tokenizer_config.json", utf8(`${JSON.stringify(settings, null, 2)}\n`)],
    ],
  };
}

/** The file that the arm's text was prepared with. */
function readTokenizer(id: string, sha256: string, folders: readonly string[]): string {
  for (const folder of folders) {
    const path = join(folder, "tokenizer.json");
    try {
      if (sha256OfFile(path) === sha256) return reading(path, () => Deno.readTextFileSync(path));
    } catch (error) {
      if (!(error instanceof UserError)) throw error; // a folder that is no shard set, or of bytes
    }
  }
  throw new UserError(
    `No tokenizer.json with the SHA-256 ${sha256}, which ${id} was trained with, in ${
      folders.join(", ") || "needs"
    }: ` +
      `add the prepare stage that ${id} needs`,
  );
}

/** The text of a token in a tokenizer.json. */
function tokenOf(json: string, id: number): string {
  const { added_tokens = [], model } = parseJson(json, "tokenizer.json") as {
    added_tokens?: { id: number; content: string }[];
    model: { vocab: Record<string, number> };
  };
  const added = added_tokens.find((token) => token.id === id);
  const known = added?.content ?? Object.entries(model.vocab).find(([, value]) => value === id)?.[0];
  if (known === undefined) throw new UserError(`tokenizer.json has no token ${id}, which ends documents`);
  return known;
}
