/** Groups of equal size from items that come in any order. */

import type { Group, Item } from "../tasks/items.ts";

/**
 * Takes from a stream, which must not end before, until each group has its items; what a full group would get too
 * much, and what belongs to none, is left out.
 *
 * @param stream Items, each with the name of its group.
 */
export function fill(
  names: readonly string[],
  items: number,
  stream: Iterable<readonly [group: string, item: Item]>,
): Group[] {
  const groups = new Map(names.map((name) => [name, [] as Item[]]));
  let missing = names.length * items;
  if (missing > 0) {
    for (const [name, item] of stream) {
      const group = groups.get(name);
      if (group === undefined || group.length === items) continue;
      group.push(item);
      if (--missing === 0) break;
    }
  }
  return [...groups].map(([name, items]) => ({ name, items }));
}
