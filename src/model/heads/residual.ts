/**
 * `residual` heads (Medusa, Cai et al. 2024): head 1 is the plain unembedding; each further one is one or more blocks
 * x + SiLU(W x), which begin as the identity (W = 0), then an unembedding of its own, on the trunk's normed output.
 *
 * Medusa's own blocks add a bias inside SiLU. These have none, as no layer of the model has: the exported form carries
 * zeros in its place, which is the same function.
 */
import { decodeLinear, linear, silu, type Tensor } from "../../torch/mod.ts";
import { type Heads, INITIAL_STD, type Lent } from "./heads.ts";
import { linearHeads } from "./linear.ts";
import { type RowHead, RowHeads } from "./row_heads.ts";

export function residualHeads(lent: Lent): Heads {
  const { shape, parameters } = lent;
  const { count, layers = 1 } = shape.heads;
  const [first] = linearHeads({ ...lent, shape: { ...shape, heads: { kind: "linear", count: 1 } } }).heads;
  const further = Array.from({ length: count - 1 }, (_, i): RowHead => {
    const name = `heads.${i + 2}`;
    const blocks = Array.from(
      { length: layers },
      (_, j) => parameters.zeros(`${name}.blocks.${j}`, [shape.width, shape.width]),
    );
    const through = (x: Tensor, map: (x: Tensor, weight: Tensor) => Tensor) =>
      blocks.reduce((x, weight) => x.add(silu(map(x, weight))), x);
    return {
      unembedding: parameters.normal(name, [shape.vocab, shape.width], INITIAL_STD),
      forward: (z_BTD) => through(z_BTD, linear),
      decode: (z_RD, kernels) => through(z_RD, (x, weight) => decodeLinear(x, weight, kernels)),
    };
  });
  return new RowHeads([first!, ...further]);
}
