/** config.json of a Llama checkpoint: written for our models, read and checked for those of others. */
import * as z from "zod";
import type { ModelOptions, ModelShape } from "../model/shape.ts";
import { shapeOf } from "../model/shape.ts";
import { UserError } from "../stage/errors.ts";

/** What a checkpoint of this shape says of itself. `end` starts and ends documents. */
export function llamaConfig(
  shape: ModelShape,
  layers: number,
  end: number,
  dtype: string,
): Record<string, unknown> {
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: shape.vocab,
    hidden_size: shape.width,
    intermediate_size: shape.ffn,
    num_hidden_layers: layers,
    num_attention_heads: shape.attention_heads,
    num_key_value_heads: shape.kv_heads,
    head_dim: shape.headWidth,
    hidden_act: "silu",
    max_position_embeddings: shape.context,
    rms_norm_eps: shape.norm_eps,
    rope_theta: shape.rope_theta, // read by transformers 4
    rope_parameters: { rope_type: "default", rope_theta: shape.rope_theta }, // read by transformers 5
    rope_scaling: null,
    attention_bias: false,
    mlp_bias: false,
    tie_word_embeddings: shape.tied,
    bos_token_id: end,
    eos_token_id: end,
    torch_dtype: dtype,
    use_cache: true,
  };
}

const size = z.int().min(1);

/** What of config.json decides the computation. */
const configSchema = z.object({
  architectures: z.array(z.string()).optional(),
  model_type: z.string(),
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  hidden_act: z.string().default("silu"),
  max_position_embeddings: z.int().min(2),
  rms_norm_eps: z.number().gt(0).default(1e-6), // transformers' default
  rope_theta: z.number().gt(0).nullish(),
  rope_parameters: z.looseObject({ rope_theta: z.number().gt(0).optional() }).nullish(),
  rope_scaling: z.looseObject({}).nullish(),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(false),
  quantization_config: z.unknown().optional(),
});

type LlamaConfig = z.output<typeof configSchema>;

/**
 * The sizes of a checkpoint, as a model with one head.
 *
 * @param path Named in messages.
 * @throws {UserError} naming what this program's model does not have.
 */
export function optionsFrom(json: unknown, path: string): ModelOptions {
  const refuse = (what: string) => new UserError(`Cannot import "${path}": ${what}`);
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refuse(`${issue!.path.join(".") || "its content"}: ${issue!.message}`);
  }
  const config = parsed.data;
  const problem = foreign(config);
  if (problem !== undefined) throw refuse(problem);
  const options: ModelOptions = {
    vocab: config.vocab_size,
    width: config.hidden_size,
    layers: config.num_hidden_layers,
    attention_heads: config.num_attention_heads,
    kv_heads: config.num_key_value_heads ?? config.num_attention_heads,
    ffn: config.intermediate_size,
    context: config.max_position_embeddings,
    heads: { kind: "linear", count: 1 },
    rope_theta: config.rope_parameters?.rope_theta ?? config.rope_theta ?? 10_000,
    norm_eps: config.rms_norm_eps,
    tied: config.tie_word_embeddings,
  };
  try {
    shapeOf(options);
  } catch (error) {
    if (error instanceof RangeError) throw refuse(error.message);
    throw error;
  }
  return options;
}

/** What a checkpoint has that a model here has not; undefined where there is nothing. */
function foreign(config: LlamaConfig): string | undefined {
  const { architectures = ["LlamaForCausalLM"], model_type, hidden_size, num_attention_heads, head_dim } =
    config;
  if (model_type !== "llama" || !architectures.includes("LlamaForCausalLM")) {
    return `expected the architecture LlamaForCausalLM, found ${
      architectures.join(", ")
    } (model_type ${model_type})`;
  }
  if (typeof head_dim === "number" && head_dim * num_attention_heads !== hidden_size) {
    const expected = hidden_size / num_attention_heads;
    return `head_dim is ${head_dim}; only hidden_size / num_attention_heads (${expected}) is supported`;
  }
  const scaling = config.rope_scaling ?? config.rope_parameters;
  const type = scaling?.["rope_type"] ?? scaling?.["type"] ?? "default";
  if (type !== "default") {
    return `rope_scaling of the type "${type}" is not supported, only plain rotary positions`;
  }
  if (config.attention_bias) return "attention_bias is true; only layers without biases are supported";
  if (config.mlp_bias) return "mlp_bias is true; only layers without biases are supported";
  if (config.hidden_act !== "silu") return `hidden_act is "${config.hidden_act}"; only silu is supported`;
  if ((config.quantization_config ?? null) !== null) {
    return "it is quantized; import the checkpoint it was made from";
  }
  return undefined;
}
