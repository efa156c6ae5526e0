/** What cannot be between the keys of a decode stage, or between them and the arms that it needs. */

import type { Path } from "../document.ts";
import { isFetched } from "../fetched.ts";
import type { Problem } from "../problems.ts";
import type { PipelineFile } from "../schema.ts";

type Stage = PipelineFile["stages"][number];
type Decode = Extract<Stage, { run: "decode" }>;
type Train = Extract<Stage, { run: "train" }>;

export function checkDecode(stage: Decode, path: Path, stages: readonly Stage[]): Problem[] {
  const needed = stages.filter(({ id }) => stage.needs.includes(id));
  const arms = needed.filter((stage) => stage.run === "train");
  const text = needed.find((stage) => stage.run === "prepare");
  const isBytes = text?.run === "prepare" && text.tokenizer === "bytes";
  return [
    ...checkRoom(stage, path, arms, isBytes),
    ...checkDomains(stage, [...path, "domains"]),
    ...checkHeads(stage, [...path, "heads"], arms),
    ...checkBatches(stage, [...path, "batches"]),
    ...checkSampling(stage, [...path, "sampling"]),
    ...checkTree(stage, [...path, "tree"], arms),
  ];
}

/**
 * A prompt of bytes, with the start token that an opening of a document has before it, and its continuation fit the
 * context. How many tokens a prompt of subwords has is known only when it is cut.
 */
function checkRoom(
  { prompt_bytes, new_tokens }: Decode,
  path: Path,
  arms: readonly Train[],
  isBytes: boolean,
): Problem[] {
  const tokens = 1 + (isBytes ? prompt_bytes : 1) + new_tokens;
  const short = arms.find(({ model }) => model.context < tokens);
  if (short === undefined) return [];
  const { id, model: { context } } = short;
  const prompt = isBytes ? `prompt_bytes (${prompt_bytes})` : "1";
  const message = `1 + ${prompt} + new_tokens (${new_tokens}) tokens do not fit ` +
    `the context of ${id} (${context})`;
  return [{ path: [...path, "new_tokens"], message }];
}

function checkDomains({ domains = [] }: Decode, path: Path): Problem[] {
  return domains.flatMap(({ name, split, files = [] }, i) => {
    const problems: Problem[] = [];
    const refuse = (key: string, message: string) => problems.push({ path: [...path, i, key], message });
    const first = domains.findIndex((other) => other.name === name);
    if (first < i) refuse("name", `the name "${name}" is taken by domains[${first}]`);
    if (split !== undefined && files.length > 0) refuse("split", "a domain has a split or files, found both");
    if (files.some(isFetched)) {
      refuse("files", "a decode stage reads files of this machine; fetched: files are for prepare stages");
    }
    return problems;
  });
}

/** An arm with one head only decodes plainly, whatever the others do. */
function checkHeads({ heads = [] }: Decode, path: Path, arms: readonly Train[]): Problem[] {
  return heads.flatMap((number, i) => {
    const refuse = (message: string) => [{ path: [...path, i], message }];
    if (heads.indexOf(number) < i) return refuse(`${number} stands here twice`);
    if (number === "auto") return [];
    const fewer = arms.find(({ model }) => model.heads.count > 1 && model.heads.count < number);
    if (fewer === undefined) return [];
    return refuse(`expected at most the ${fewer.model.heads.count} heads of ${fewer.id}, found ${number}`);
  });
}

function checkBatches({ batches, prompts }: Decode, path: Path): Problem[] {
  return batches.flatMap((batch, i) => {
    const refuse = (message: string) => [{ path: [...path, i], message }];
    if (batches.indexOf(batch) < i) return refuse(`${batch} stands here twice`);
    return batch <= prompts ? [] : refuse(`expected at most as many as prompts (${prompts}), found ${batch}`);
  });
}

/** Keys that say nothing of greedy decoding would be passed over in silence. */
function checkSampling({ sampling }: Decode, path: Path): Problem[] {
  const { temperature, top_k, top_p, min_p } = sampling;
  if (temperature > 0) return [];
  const idle = top_k !== 0 ? "top_k" : top_p !== 1 ? "top_p" : min_p !== 0 ? "min_p" : undefined;
  if (idle === undefined) return [];
  return [{
    path: [...path, idle],
    message: "says nothing of greedy decoding: set temperature above 0, or leave it out",
  }];
}

/** The likeliest path of a tree is a product of probabilities: the heads have to be independent. */
function checkTree({ tree }: Decode, path: Path, arms: readonly Train[]): Problem[] {
  const chained = arms.find(({ model: { heads } }) => heads.kind === "sequential" && heads.count > 1);
  if (tree === undefined || chained === undefined) return [];
  const message =
    `the sequential heads of ${chained.id} read each other's drafts: they draft chains, no trees`;
  return [{ path, message }];
}
