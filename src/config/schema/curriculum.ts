/** `curriculum`: which heads are trained when. */

import * as z from "zod";
import { count, share } from "./values.ts";

/** Curricula that have a name; src/train/curriculum/presets.ts says what each is. */
export const PRESETS = [
  "ntp",
  "mtp",
  "forward",
  "reverse",
  "forward-reverse",
  "reverse-refresh",
  "adaptive",
] as const;

/** How a learning rate moves; src/train/schedule.ts has the formulas. */
export const schedule = z.enum(["cosine", "wsd", "linear", "constant"]);
export const decayShape = z.enum(["linear", "cosine", "sqrt"]);

const part = z.string().regex(/^(trunk|embedding|heads|head([1-9]|1[0-6]))$/, {
  error: "trunk | embedding | heads | head1, head2, ...",
});
const wake = z.enum(["fresh", "copy"]);

const ownSchedule = z.strictObject({
  lr: z.number().gt(0).optional().describe("peak learning rate of the phase; default train.lr"),
  schedule: schedule.optional().describe("default train.schedule"),
  warmup: z.number().min(0).lt(1).optional().describe("share of the phase that warms up; default 0"),
  min_lr: z.number().min(0).max(1).optional().describe("share of lr that is left at the phase's end"),
});

const phase = z.strictObject({
  until: z.number().gt(0).max(1).describe("share of the steps at which the phase ends; the last one's is 1"),
  weights: z.array(z.number().min(0)).min(1).describe(
    "weight of each head's loss, K numbers; 0: not run at all",
  ),
  to: z.array(z.number().min(0)).min(1).optional().describe(
    "weights that the phase moves to in a straight line; default: they stay",
  ),
  freeze: z.array(part).min(1).optional().describe(
    "what stands still: trunk | embedding | heads | head1 ...",
  ),
  wake: wake.optional().describe("what heads that wake in this phase start from; default the curriculum's"),
  lr: ownSchedule.optional().describe("a schedule of the phase's own; the run's stands still meanwhile"),
});

const written = z.strictObject({
  preset: z.enum([...PRESETS, "custom"]).optional().describe("a named curriculum; custom: phases says it"),
  phases: z.array(phase).min(1).optional().describe("custom: one after another, from step 0"),
  interpolate: z.enum(["step", "linear"]).optional().describe(
    "how weights change from phase to phase of a preset; default step",
  ),
  wake: wake.optional().describe(
    "fresh: a head that wakes starts from its own weights, the default; copy: from those of the head before it",
  ),
  refresh: share.optional().describe("reverse-refresh: share of the steps, at the end; default 0.1"),
  refresh_lr: ownSchedule.optional().describe("reverse-refresh: schedule of the refresh"),
  order: z.enum(["forward", "reverse"]).optional().describe("adaptive: which way; default forward"),
  window: count.optional().describe(
    "adaptive: steps over which a head's loss is averaged; default a tenth of max_steps",
  ),
  threshold: z.number().gt(0).lt(1).optional().describe(
    "adaptive: a phase ends when a window's loss is less than this share below the window before; default 0.01",
  ),
  min_steps: count.optional().describe("adaptive: fewest steps of a phase; default two windows"),
  max_steps: count.optional().describe("adaptive: most steps of a phase but the last; default steps / K"),
});

export const curriculum = z.union([z.enum(PRESETS), written], {
  error: `${PRESETS.join(" | ")} | a map with phases`,
});

/** A preset's name, or a map; src/train/curriculum.ts makes phases in steps of it. */
export type CurriculumConfig = z.output<typeof curriculum>;
/** The map. */
export type WrittenCurriculum = z.output<typeof written>;
/** The name of a preset. */
export type Preset = typeof PRESETS[number];
/** A phase's own schedule. */
export type OwnSchedule = z.output<typeof ownSchedule>;
