/** How a decode stage decoded, in sentences. */

import { capitalized } from "./headline.ts";
import type { Decoding } from "./inputs.ts";
import { count, plural } from "./numbers.ts";

/** The choice of tokens, what drafts may change, the machine and the repeats. */
export function settingsInWords(decoding: Decoding): string {
  const { new_tokens, prompt_bytes } = decoding;
  return `${capitalized(choiceInWords(decoding))} of up to ${
    count(new_tokens)
  } new tokens after prompts of at most \
${count(prompt_bytes)} bytes, plainly (head 1, one token a forward) and with the model's own drafts. ${
    lossInWords(decoding)
  } ${machineInWords(decoding)}`;
}

/** `greedy decoding`, `sampling at temperature 0.8, top-p 0.95`. */
export function choiceInWords({ sampling }: Decoding): string {
  const { temperature, top_k, top_p, min_p, repetition_penalty: penalty } = sampling;
  const penalized = penalty === 1 ? "" : `, repetition penalty ${penalty}`;
  if (temperature === 0) return `greedy decoding${penalized}`;
  const cuts = [
    top_k > 0 && `top-k ${top_k}`,
    top_p < 1 && `top-p ${top_p}`,
    min_p > 0 && `min-p ${min_p}`,
  ];
  return [`sampling at temperature ${temperature}`, ...cuts.filter((cut) => cut !== false)].join(", ") +
    penalized;
}

function lossInWords({ mode, tolerance, sampling, lossless, tree }: Decoding): string {
  const drafts = tree === null
    ? ""
    : ` Drafts branch: ${tree.candidates} candidates a head, ${tree.nodes} tokens a forward.`;
  if (!lossless) {
    return `Drafts are accepted where they are typical (Medusa's rule), which is not lossless: the text differs from plain \
decoding's.${drafts}`;
  }
  if (sampling.temperature > 0) {
    return `Drafts leave the distribution as it is; outputs are drawn at random and not compared.${drafts}`;
  }
  if (mode === "strict") {
    return `Mode strict: all ways compute each row alike, so equal outputs are expected without exception.${drafts}`;
  }
  return `Mode ${mode}: outputs may part where the two best logits of the plain decoder lie within ${tolerance}; such near ties \
are counted.${drafts}`;
}

function machineInWords({ machine, repeats }: Decoding): string {
  const gpu = machine.gpu === null ? "" : ` (${machine.gpu})`;
  const rounds = repeats === 1 ? "one round" : `the median of ${repeats} rounds, all ways in turn`;
  return `Device ${machine.device}${gpu}, ${plural(machine.threads, "thread")} on ${
    plural(machine.cpus, "CPU")
  }: wall-clock figures hold for this machine, ${rounds}.`;
}
