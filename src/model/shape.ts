/** The sizes of a model, and what follows from them. */

/** The kinds of heads; what each is stands in its file in heads/. */
export const HEAD_KINDS = ["linear", "transformer", "residual", "sequential"] as const;
export type HeadKind = (typeof HEAD_KINDS)[number];

/** Most prediction heads of a model. */
export const MAX_HEADS = 16;

/** What a pipeline file says of a model, and the vocabulary, which its tokenizer says. */
export interface ModelOptions {
  /** V: number of token ids. */
  readonly vocab: number;
  /** D: units of the residual stream. */
  readonly width: number;
  readonly layers: number;
  /** H; divides width. */
  readonly attention_heads: number;
  /** G: heads of keys and values; divides attention_heads. */
  readonly kv_heads: number;
  /** F: hidden units of SwiGLU. */
  readonly ffn: number;
  /** T: most positions of a sequence. */
  readonly context: number;
  /** K prediction heads. `layers`: residual blocks of each `residual` head from the second on, by default 1. */
  readonly heads: { readonly kind: HeadKind; readonly count: number; readonly layers?: number | undefined };
  readonly rope_theta: number;
  readonly norm_eps: number;
  /** Whether head 1 uses the embedding's matrix, and with it all heads that share head 1's. */
  readonly tied: boolean;
}

/** A model's sizes with those that follow from them. */
export interface ModelShape extends ModelOptions {
  /** W: width of one attention head. */
  readonly headWidth: number;
  /** N: vectors of width W that a position is projected to, H + 2G. */
  readonly projections: number;
  /** Blocks that all heads share: `transformer` heads take the last K of the layers for themselves. */
  readonly trunkLayers: number;
}

/** @throws {RangeError} naming the constraint and the values that break it. */
export function shapeOf(options: ModelOptions): ModelShape {
  const { width, layers, context, attention_heads: H, kv_heads: G, heads: { kind, count: K } } = options;
  if (width % H !== 0) throw new RangeError(`width ${width} is not a multiple of ${H} attention heads`);
  if (H % G !== 0) {
    throw new RangeError(`${H} attention heads are not a multiple of ${G} key and value heads`);
  }
  if (width / H % 2 !== 0) throw new RangeError(`rotary positions need an even head width, not ${width / H}`);
  if (K > MAX_HEADS) throw new RangeError(`${K} prediction heads are more than ${MAX_HEADS}`);
  if (K >= context) throw new RangeError(`${K} prediction heads look beyond a context of ${context}`);
  if (kind === "transformer" && K >= layers) {
    throw new RangeError(`${K} transformer heads leave no layer of ${layers} for the trunk`);
  }
  const trunkLayers = kind === "transformer" ? layers - K : layers;
  return { ...options, headWidth: width / H, projections: H + 2 * G, trunkLayers };
}
