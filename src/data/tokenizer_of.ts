/** The tokenizer that a shard set was made with. */
import { join } from "node:path";
import { sha256OfFile } from "../formats/atomic.ts";
import { UserError } from "../stage/errors.ts";
import { openTokenizerFile } from "../text/bpe.ts";
import { byteTokenizer, type Tokenizer } from "../text/tokenizer.ts";
import { AGAIN, type ShardMeta } from "./shards.ts";

/**
 * Bytes, or the set's own tokenizer.json. Decoding needs no native code.
 *
 * @throws {UserError} where tokenizer.json is missing, was altered, or does not fit meta.json.
 */
export function tokenizerOf(
  { folder, meta }: { readonly folder: string; readonly meta: Pick<ShardMeta, "tokenizer"> },
): Tokenizer {
  const info = meta.tokenizer;
  if (info.kind === "bytes") return byteTokenizer();
  const path = join(folder, info.file);
  const refuse = (what: string) => new UserError(`Cannot use "${path}": ${what}; ${AGAIN}`);
  const found = sha256OfFile(path);
  if (found !== info.sha256) throw refuse(`it was altered, expected SHA-256 ${info.sha256}, found ${found}`);
  const tokenizer = openTokenizerFile(path, { end: info.endToken });
  if (tokenizer.vocab === info.vocab) return tokenizer;
  const { vocab } = tokenizer;
  tokenizer[Symbol.dispose]();
  throw refuse(`it has ${vocab} ids, meta.json says ${info.vocab}`);
}
