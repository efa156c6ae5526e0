/** `curriculum`: which heads are trained when. */

import * as z from "zod";

const phase = z.strictObject({
  until: z.number().gt(0).max(1).describe("share of the steps at which the phase ends; the last one's is 1"),
  weights: z.array(z.number().min(0)).min(1).describe(
    "weight of each head's loss, K numbers; 0: not run at all",
  ),
});

export const curriculum = z.union([
  z.enum(["ntp", "mtp", "forward", "reverse"]),
  z.strictObject({ phases: z.array(phase).min(1).describe("one after another, from step 0") }),
], { error: "ntp | mtp | forward | reverse | a map with phases" });

/** A preset's name, or phases; src/train/curriculum.ts expands it into steps. */
export type CurriculumConfig = z.output<typeof curriculum>;
