/** What cannot be between the sizes of a model. */

import type { Path } from "../document.ts";
import type { Problem } from "../problems.ts";
import type { ModelConfig } from "../schema/model.ts";

export function checkModel(model: ModelConfig, path: Path): Problem[] {
  const { width, attention_heads, kv_heads, context, heads } = model;
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
  if (heads.count >= context) {
    refuse(["heads", "count"], `expected less than context (${context}), found ${heads.count}`);
  }
  return problems;
}
