/** The model: what training, evaluation and decoding import. */
export { KvCache } from "./cache.ts";
export { type HeadScores, MtpModel, type Sequences } from "./mtp.ts";
export { Parameters } from "./parameters.ts";
export { type ModelOptions, type ModelShape, shapeOf } from "./shape.ts";
export {
  addScores,
  emptyScores,
  type HeadTotals,
  type ScoreSummary,
  type ScoreTotals,
  summarize,
} from "./score.ts";
