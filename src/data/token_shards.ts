/** Shard sets as the shim reads them. */
import { TokenShards } from "../torch/mod.ts";
import type { ShardSet, Split } from "./shards.ts";
import { tokenizerOf } from "./tokenizer_of.ts";

/**
 * Maps the shards of one split.
 *
 * @throws {UserError} where the tokenizer cannot be used. @throws {TorchError} where a shard cannot be mapped.
 */
export function openTokens(set: ShardSet, split: Split): TokenShards {
  using tokenizer = tokenizerOf(set);
  const info = set.meta.tokenizer;
  return new TokenShards(set.splits[split], {
    tokenBytes: info.tokenBytes,
    offset: info.kind === "bytes" ? info.byteOffset : 0,
    endToken: info.endToken,
    byteLengths: tokenizer.byteLengths,
  });
}
