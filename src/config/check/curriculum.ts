/** What cannot be between the phases of a curriculum. */

import type { Path } from "../document.ts";
import type { Problem } from "../problems.ts";
import type { CurriculumConfig } from "../schema/curriculum.ts";

export function checkCurriculum(curriculum: CurriculumConfig, numHeads: number, path: Path): Problem[] {
  if (typeof curriculum === "string") return [];
  let before = 0;
  const problems = curriculum.phases.flatMap(({ until, weights }, i) => {
    const found: Problem[] = [];
    const refuse = (key: string, message: string) =>
      found.push({ path: [...path, "phases", i, key], message });
    if (until <= before) refuse("until", `expected more than the phase before (${before}), found ${until}`);
    if (weights.length !== numHeads) {
      refuse("weights", `expected one number for each of ${numHeads} heads, found ${weights.length}`);
    } else if (weights.every((weight) => weight === 0)) {
      refuse("weights", "expected at least one weight above 0");
    }
    before = until;
    return found;
  });
  if (before !== 1 && problems.length === 0) {
    const last = curriculum.phases.length - 1;
    problems.push({
      path: [...path, "phases", last, "until"],
      message: `the last phase ends at 1, found ${before}`,
    });
  }
  return problems;
}
