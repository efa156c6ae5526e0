/** README.md of an exported model: what it is, and the lines that open it. */
import type { Finished } from "../train/finished.ts";

export function modelCard(
  { id, options, curriculum, steps }: Finished,
  layers: number,
  dtype: string,
): string {
  const { width, vocab, context, heads: { kind, count } } = options;
  const heads = count === 1
    ? "It has one head, which predicts the next token."
    : `It was trained with ${count} ${kind} heads, of which head i predicts the token i places ahead. Head 1 is this ` +
      "model; the others are in `heads.safetensors`, and `heads.json` says how they compute.";
  return `---
library_name: transformers
pipeline_tag: text-generation
tags:
- multi-token-prediction
---

# ${id}

A Llama-architecture language model of ${layers} layers and width ${width}, vocabulary ${vocab}, context ${context}, in ${dtype}.
Trained by foretoken for ${steps} steps with the curriculum \`${curriculum}\`.

${heads}

\`\`\`python
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("path/to/this/folder")
model = AutoModelForCausalLM.from_pretrained("path/to/this/folder")
start = tokenizer.bos_token  # documents began with it in training
inputs = tokenizer(start + "Once upon a time", return_tensors="pt", add_special_tokens=False)
print(tokenizer.decode(model.generate(**inputs, max_new_tokens=64)[0]))
\`\`\`
`;
}
