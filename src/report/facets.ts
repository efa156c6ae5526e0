/** Which sets of replicates belong into one chart, and how each of them looks in all of them. */

import type { Arm, Results } from "./collect.ts";
import type { Replicates } from "./replicates.ts";
import { STYLES } from "./charts/svg.ts";

/** Sets that are drawn together. */
export interface Facet {
  /** What tells them from other facets: `books (bytes), K=4`; empty where there is one. */
  readonly name: string;
  readonly sets: readonly Replicates[];
}

/** Sets on the same text: bits per byte of different texts do not compare. */
export function byText(sets: readonly Replicates[], data: Results["data"]): Facet[] {
  const texts = [...Map.groupBy(sets, ({ arms }) => arms[0]!.arm.text).values()];
  const names = texts.map(([set]) => textName(set!.arms[0]!.arm, data));
  return texts.map((sets, i) => {
    const isUnique = names.indexOf(names[i]!) === names.lastIndexOf(names[i]!);
    const name = isUnique ? names[i]! : `${names[i]} of ${sets[0]!.arms[0]!.arm.run}`;
    return { name: texts.length === 1 ? "" : name, sets };
  });
}

/**
 * Sets on the same text with as many heads of the same kind: what is left between them are the curricula. One that has a single
 * head is in each facet of its text.
 */
export function byHeads(sets: readonly Replicates[], data: Results["data"]): Facet[] {
  return byText(sets, data).flatMap(({ name, sets }) => {
    const single = sets.filter(({ heads }) => heads === 1);
    const groups = [
      ...Map.groupBy(sets.filter(({ heads }) => heads > 1), ({ heads, kind }) => `${heads} ${kind}`).values(),
    ];
    if (groups.length <= 1) return [{ name, sets }];
    const kinds = new Set(groups.map(([set]) => set!.kind));
    return groups.map((group) => {
      const { heads, kind } = group[0]!;
      const parts = [name, `K=${heads}`, kinds.size > 1 ? kind ?? "" : ""];
      const members = new Set([...single, ...group]);
      return {
        name: parts.filter((part) => part !== "").join(", "),
        sets: sets.filter((set) => members.has(set)),
      };
    });
  });
}

function textName({ config, text, run }: Arm, data: Results["data"]): string {
  const needs: readonly unknown[] = Array.isArray(config?.needs) ? config.needs : [];
  const dataset = data.find(({ id }) => needs.some((need) => id === need || id === `${run}/${need}`));
  if (dataset === undefined) return text ?? "unnamed text";
  const { kind, vocab } = dataset.value.tokenizer;
  return `${dataset.id} (${kind === "bytes" ? "bytes" : `${kind} of ${vocab}`})`;
}

/** The style of each set: that of its curriculum, the same in all charts, while no two sets of a facet share one. */
export function stylesIn({ sets }: Facet, curricula: readonly string[]): number[] {
  const names = sets.map(({ curriculum }) => curriculum);
  const isUnique = new Set(names).size === names.length;
  return sets.map(({ curriculum }, i) => (isUnique ? curricula.indexOf(curriculum) : i) % STYLES);
}

/** The curricula in the order in which they first occur. */
export function curriculaOf(sets: readonly Replicates[]): string[] {
  return [...new Set(sets.map(({ curriculum }) => curriculum))];
}

/** `: books, K=4`, behind a chart's title. */
export function inFacet({ name }: Facet): string {
  return name === "" ? "" : `: ${name}`;
}
