/** `foretoken model show`: what a model costs, as aligned lines for a terminal. */
import { aligned } from "../formats/columns.ts";
import { flopsPerToken, memoryOf, parameterCount, parametersByModule } from "../model/account.ts";
import { type ModelOptions, shapeOf } from "../model/shape.ts";

/**
 * The account of one model.
 *
 * @param title Names it: the id of its stage.
 * @param batch Sequences of a micro-batch.
 */
export function showModel(title: string, options: ModelOptions, batch: number, recompute = false): string[] {
  const shape = shapeOf(options);
  const { width, trunkLayers, attention_heads, kv_heads, ffn, context, vocab, heads: { kind, count } } =
    shape;
  const total = parameterCount(shape);
  const modules = parametersByModule(shape);
  const memory = memoryOf(shape, batch, recompute);
  const one = flopsPerToken(shape, 1);
  return [
    `${title}: ${grouped(total)} parameters, ${
      grouped(total - modules[0]!.parameters)
    } without the embedding`,
    `width ${width}, ${trunkLayers} shared layers, ${attention_heads} query and ${kv_heads} key heads, ${ffn} hidden ` +
    `units, context ${context}, vocabulary ${vocab}, ${count} ${kind} ${count === 1 ? "head" : "heads"}`,
    "",
    ...aligned([
      ["module", "parameters", "share"],
      ...modules.map(({ name, parameters }) => [name, grouped(parameters), percent(parameters / total)]),
    ]),
    "",
    ...aligned([
      ["heads awake", "FLOPs a token", "of one head's"],
      ...Array.from({ length: count }, (_, i) => {
        const flops = flopsPerToken(shape, i + 1);
        return [`${i + 1}`, scaled(flops), (flops / one).toFixed(2)];
      }),
    ]),
    "Forward and backward: 6 x parameters in matrix products + 12 x layers x width x context.",
    "",
    ...aligned([
      [`memory, ${batch} x ${context} tokens, float32`, "bytes"],
      ...Object.entries(memory).map((
        [part, bytes],
      ) => [LABELS[part as keyof typeof memory], scaled(bytes, "B")]),
    ]),
    "An estimate, good to some 15% on the CPU; libtorch itself takes some 0.3 GB more.",
  ];
}

const LABELS: Record<keyof ReturnType<typeof memoryOf>, string> = {
  weights: "weights",
  gradients: "gradients",
  optimizer: "AdamW's moments",
  activations: "activations",
  loss: "one head's loss",
  total: "in all",
};

const grouped = (value: number): string => value.toLocaleString("en");
const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

/** Three digits and a unit: 1.23 G. */
function scaled(value: number, unit = ""): string {
  const [factor, prefix] = ([[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]] as const)
    .find(([factor]) => value >= factor) ?? [1, ""];
  return `${(value / factor).toPrecision(3)} ${prefix}${unit}`.trimEnd();
}
