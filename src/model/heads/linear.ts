/**
 * `linear` heads: an own V x D matrix for each offset, on the trunk's normed output (LL heads of Aynetdinov & Akbik
 * 2025; the linear heads and replicated unembeddings of Gloeckle et al. 2024).
 */
import { INITIAL_STD, type Lent } from "./heads.ts";
import { type RowHead, RowHeads } from "./row_heads.ts";

export function linearHeads({ shape, parameters, embedding }: Lent): RowHeads {
  const heads = Array.from({ length: shape.heads.count }, (_, i): RowHead => {
    const tied = i === 0 && shape.tied;
    const matrix = [shape.vocab, shape.width];
    return {
      unembedding: tied ? embedding : parameters.normal(`heads.${i + 1}`, matrix, INITIAL_STD),
      forward: (z_BTD) => z_BTD,
      decode: (z_RD) => z_RD,
    };
  });
  return new RowHeads(heads);
}
