/** What cannot be between the sizes of a model. */

import type { Path } from "../document.ts";
import type { Problem } from "../problems.ts";
import type { ModelConfig } from "../schema/model.ts";

/** Most prediction heads: src/model/shape.ts has the same. */
const MAX_HEADS = 16;

export function checkModel(model: ModelConfig, path: Path): Problem[] {
  const { width, attention_heads, kv_heads } = model;
  const problems: Problem[] = [];
  const refuse = (keys: string[], message: string) => problems.push({ path: [...path, ...keys], message });
  if (width % attention_heads !== 0) {
    refuse(["attention_heads"], `expected a divisor of width (${width}), found ${attention_heads}`);
  } else if ((width / attention_heads) % 2 !== 0) {
    const size = width / attention_heads;
    refuse(["attention_heads"], `width / attention_heads must be even (rotary pairs), found ${size}`);
  }
  if (attention_heads % kv_heads !== 0) {
    refuse(["kv_heads"], `expected a divisor of attention_heads (${attention_heads}), found ${kv_heads}`);
  }
  const about = aboutHeads(model);
  if (about !== undefined) refuse(["heads", about.key], about.message);
  return problems;
}

function aboutHeads({ layers, context, heads: { kind, count, layers: blocks } }: ModelConfig) {
  if (count > MAX_HEADS) {
    return { key: "count", message: `expected at most ${MAX_HEADS} heads, found ${count}` };
  }
  if (count >= context) {
    return { key: "count", message: `expected less than context (${context}), found ${count}` };
  }
  if (kind === "transformer" && count >= layers) {
    const why = "each transformer head is one of the layers, and the trunk needs one";
    return { key: "count", message: `expected less than layers (${layers}), found ${count}: ${why}` };
  }
  if (kind !== "residual" && blocks !== undefined) {
    return { key: "layers", message: `only residual heads have layers of their own; these are ${kind}` };
  }
  return undefined;
}
