/** Contenders that take turns, so that what else the machine does meets each of them alike. */

/** Runs once and says how long it took, or how fast it was. */
export type Contender = () => number | Promise<number>;

/**
 * What each contender says in each round. The first round, which warms up, does not count; there are as many as fit the
 * milliseconds, between `least` and `most`.
 */
export async function inTurns(
  contenders: readonly Contender[],
  { milliseconds, least, most }: { milliseconds: number; least: number; most: number },
): Promise<number[][]> {
  const taken = contenders.map((): number[] => []);
  const began = performance.now();
  for (const contender of contenders) await contender();
  const rounds = Math.floor(milliseconds / (performance.now() - began));
  for (let round = 0; round < Math.min(Math.max(rounds, least), most); round++) {
    // Each first in half of the rounds: what one leaves behind, a hot processor or a cold cache, the next one meets.
    const order = round % 2 === 0 ? contenders.keys() : [...contenders.keys()].reverse();
    for (const i of order) taken[i]!.push(await contenders[i]!());
  }
  return taken;
}
