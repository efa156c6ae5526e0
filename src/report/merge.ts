/** Stages that measured one arm each with equal settings are one evaluation, or one decoding, of all these arms. */

import type { Config, Staged } from "./collect.ts";
import type { GenerationResults } from "./generation_inputs.ts";
import type { Decoding, Evaluation } from "./inputs.ts";
import { plural } from "./numbers.ts";

/** What a stage measured, and how. */
export interface Measured<T> extends Staged<T> {
  readonly config: Config | null;
  /** The text that it needs; see `textOf`. */
  readonly text: string | null;
}

/** Evaluations with equal settings as one, in the order of their first stages. */
export function mergedEvaluations(stages: readonly Measured<Evaluation>[]): Staged<Evaluation>[] {
  return merged(stages, (values) => {
    const { generation: _, ...first } = values[0]!;
    const generation = mergedGeneration(values.flatMap(({ generation }) => generation ?? []));
    return { ...first, arms: withoutRepeats(values), ...(generation && { generation }) };
  });
}

/** @param tell Gets a sentence where machines differ. */
export function mergedDecodings(
  stages: readonly Measured<Decoding>[],
  tell: (sentence: string) => void,
): Staged<Decoding>[] {
  return merged(stages, (values, id) => {
    const machines = Map.groupBy(values, ({ machine }) => machineInWords(machine));
    if (machines.size > 1) {
      const said = [...machines].map(([machine, on]) => `${on.flatMap(armIds).join(", ")} on ${machine}`);
      tell(
        `${id} was measured on machines that differ, so that its speeds do not compare: ${said.join("; ")}.`,
      );
    }
    return { ...values[0]!, arms: withoutRepeats(values) };
  });
}

const armIds = ({ arms }: Decoding): string[] => arms.map(({ id }) => id);

function machineInWords({ cpus, threads, device, gpu, cpu }: Decoding["machine"]): string {
  const where = gpu ?? cpu ?? device;
  return `${where} (${plural(cpus, "core")}, ${plural(threads, "thread")})`;
}

/**
 * What each arm is spoken of with: the first stages' results, all with equal settings. Other settings speak for arms only
 * that none of the earlier stages was about: else a stage that failed would leave figures that do not compare.
 */
export function firstResults<A extends { readonly id: string }>(
  stages: readonly Measured<{ readonly arms: readonly A[] }>[],
): Map<string, A> {
  const first = new Map<string, A>();
  for (const group of Map.groupBy(stages, settingsOf).values()) {
    const arms = withoutRepeats(group.map(({ value }) => value));
    if (arms.every(({ id }) => !first.has(id))) { for (const arm of arms) first.set(arm.id, arm); }
  }
  return first;
}

function merged<T>(
  stages: readonly Measured<T>[],
  join: (values: readonly T[], id: string) => T,
): Staged<T>[] {
  const groups = [...Map.groupBy(stages, settingsOf).values()];
  const ids = groups.map((group) => sharedName(group.map(({ id }) => id)));
  return groups.map((group, i) => {
    const isTaken = ids.indexOf(ids[i]!) !== ids.lastIndexOf(ids[i]!);
    const id = isTaken ? group[0]!.id : ids[i]!;
    return { id, value: join(group.map(({ value }) => value), id) };
  });
}

/** What stages have to agree in to be one: all but what they are called, which arms they need, and where they computed. */
function settingsOf({ id, config, text }: Measured<unknown>): string {
  if (config === null) return id;
  const { id: _i, needs: _n, each: _e, device: _d, threads: _t, ...rest } = config;
  return JSON.stringify([text, Object.entries(rest).sort(([a], [b]) => a < b ? -1 : 1)]);
}

/** `eval-ntp-s1` and `eval-mtp-s1` are `eval`; of runs, `a/eval` and `b/eval`, too. */
function sharedName(ids: readonly string[]): string {
  if (ids.length === 1) return ids[0]!;
  const words = ids.map((id) => id.slice(id.lastIndexOf("/") + 1).split("-"));
  const shared = words[0]!.findIndex((word, i) => words.some((other) => other[i] !== word));
  return (shared < 0 ? words[0]! : words[0]!.slice(0, shared)).join("-") || ids[0]!;
}

/** An arm that was measured twice alike counts once. */
function withoutRepeats<A extends { readonly id: string }>(
  values: readonly { readonly arms: readonly A[] }[],
): A[] {
  return [...new Map(values.flatMap(({ arms }) => arms).reverse().map((arm) => [arm.id, arm])).values()]
    .reverse();
}

function mergedGeneration(parts: readonly GenerationResults[]): GenerationResults | undefined {
  const [first] = parts;
  if (first === undefined || parts.length === 1) return first;
  const samples = first.samples.map((sample) => ({
    ...sample,
    texts: parts.flatMap((part) => part.samples.find(({ prompt }) => prompt === sample.prompt)?.texts ?? []),
  }));
  return {
    ...first,
    arms: withoutRepeats(parts),
    comparisons: parts.flatMap(({ comparisons }) => comparisons),
    samples,
  };
}
