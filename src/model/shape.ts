/** The sizes of a model, and what follows from them. */

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
  /** K prediction heads. */
  readonly heads: { readonly kind: "linear"; readonly count: number };
  readonly rope_theta: number;
  readonly norm_eps: number;
  /** Whether head 1 uses the embedding's matrix. */
  readonly tied: boolean;
}

/** A model's sizes with those that follow from them. */
export interface ModelShape extends ModelOptions {
  /** W: width of one attention head. */
  readonly headWidth: number;
  /** N: vectors of width W that a position is projected to, H + 2G. */
  readonly projections: number;
}

/** @throws {RangeError} naming the constraint and the values that break it. */
export function shapeOf(options: ModelOptions): ModelShape {
  const { width, attention_heads: H, kv_heads: G } = options;
  if (width % H !== 0) throw new RangeError(`width ${width} is not a multiple of ${H} attention heads`);
  if (H % G !== 0) {
    throw new RangeError(`${H} attention heads are not a multiple of ${G} key and value heads`);
  }
  if (width / H % 2 !== 0) throw new RangeError(`rotary positions need an even head width, not ${width / H}`);
  return { ...options, headWidth: width / H, projections: H + 2 * G };
}
