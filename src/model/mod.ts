/** The model: what training, evaluation and decoding import. */
export { KvCache } from "./cache.ts";
export { Decoder } from "./decoder.ts";
export {
  type Accepted,
  type AcceptedRows,
  type Choose,
  type Drafter,
  pick,
  type Rows,
} from "./heads/decoding.ts";
export type { BackwardOptions, HeadScores, Sequences } from "./heads/heads.ts";
export { MtpModel } from "./mtp.ts";
export { Parameters } from "./parameters.ts";
export { HEAD_KINDS, type HeadKind, type ModelOptions, type ModelShape, shapeOf } from "./shape.ts";
export { compareSequences, type TokenTree, TreeBuilder } from "./tree.ts";
export {
  addScores,
  emptyScores,
  type HeadTotals,
  type ScoreSummary,
  type ScoreTotals,
  summarize,
} from "./score.ts";
