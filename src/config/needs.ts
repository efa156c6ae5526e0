/** The graph of a pipeline: which stage needs which, in an order in which every need comes first. */

/** What the graph is made of. */
export interface Needing {
  readonly id: string;
  readonly needs: readonly string[];
}

/**
 * Stages in the file's order, but for those that need later ones: they come right after the last of them.
 * There must be no circle: see {@link circleIn}.
 */
export function inOrder<S extends Needing>(stages: readonly S[]): S[] {
  const byId = new Map(stages.map((stage) => [stage.id, stage]));
  const ordered = new Set<S>();
  const place = (stage: S): void => {
    if (ordered.has(stage)) return;
    for (const need of stage.needs) place(byId.get(need)!);
    ordered.add(stage);
  };
  stages.forEach(place);
  return [...ordered];
}

/** The ids along a circle of needs, the first one again at the end, or undefined where there is none. */
export function circleIn(stages: readonly Needing[]): string[] | undefined {
  const byId = new Map(stages.map((stage) => [stage.id, stage]));
  const cleared = new Set<string>();
  const search = (id: string, trail: readonly string[]): string[] | undefined => {
    const start = trail.indexOf(id);
    if (start >= 0) return [...trail.slice(start), id];
    if (cleared.has(id)) return undefined;
    for (const need of byId.get(id)?.needs ?? []) {
      const circle = search(need, [...trail, id]);
      if (circle !== undefined) return circle;
    }
    cleared.add(id);
    return undefined;
  };
  for (const { id } of stages) {
    const circle = search(id, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

/** Ids of the given stages and of all that need them, directly or not. */
export function withDependents(stages: readonly Needing[], ids: readonly string[]): Set<string> {
  const found = new Set(ids);
  // In order, so that one pass sees every chain.
  for (const { id, needs } of inOrder(stages)) if (needs.some((need) => found.has(need))) found.add(id);
  return found;
}
