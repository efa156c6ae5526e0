/** heads.json: what the tensors in heads.safetensors are and how they compute, for whoever writes a reader. */
import type { ModelShape } from "../model/shape.ts";

const COMMON = "Head i (from 1) at position t predicts token t + i. Head 1 is the Llama model. " +
  "All maps are linear without bias; norms are RMSNorm with rms_norm_eps of config.json.";

const BLOCK = "is a layer of the Llama model, with the names that a layer has";

/** By kind: how head i computes its logits from its own tensors and the model's. */
const FORMULAS: Record<ModelShape["heads"]["kind"], string> = {
  linear: "logits_i = heads.<i>.lm_head z, where z is the model's last hidden state behind model.norm",
  residual: "x = z, the model's last hidden state behind model.norm; for each of `layers` blocks j in turn " +
    "x = x + SiLU(heads.<i>.blocks.<j> x); logits_i = heads.<i>.lm_head x",
  transformer:
    "h is the hidden state before the model's last layer (that layer is head 1's own); heads.<i> " +
    BLOCK + "; logits_i = lm_head model.norm(heads.<i>(h))",
  sequential: "h_1 is the hidden state behind the model's last layer, before model.norm; " +
    "h_i = block_i(heads.<i>.join [RMSNorm(h_(i-1), state_norm) ; RMSNorm(embedding of token t + i - 1, token_norm)]), " +
    `where block_i = heads.<i> ${BLOCK}; logits_i = lm_head model.norm(h_i)`,
};

export function describeHeads({ heads: { kind, count, layers = 1 } }: ModelShape): Record<string, unknown> {
  return {
    format: "foretoken-heads",
    version: 1,
    kind,
    count,
    ...(kind === "residual" && { layers }),
    heads_in_file: Array.from({ length: count - 1 }, (_, i) => i + 2),
    numbering: COMMON,
    computation: FORMULAS[kind],
  };
}
