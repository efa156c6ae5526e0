/** How tokens are chosen, wherever a stage decodes. */

import * as z from "zod";
import { whole } from "./values.ts";

export const sampling = z.strictObject({
  temperature: z.number().min(0).default(0).describe("logits are divided by it; 0: greedy decoding"),
  top_k: whole(0).default(0).describe("only so many of the likeliest tokens; 0: all"),
  top_p: z.number().gt(0).max(1).default(1).describe(
    "only the fewest of the likeliest tokens that together have this probability; 1: all",
  ),
  min_p: z.number().min(0).max(1).default(0).describe(
    "only tokens of at least this share of the likeliest one's probability; 0: all",
  ),
  repetition_penalty: z.number().gt(0).default(1).describe(
    "logits of tokens that occurred are divided by it, where they are below 0 multiplied; 1: none",
  ),
});

/** `sampling` with its defaults filled in. */
export type SamplingConfig = z.output<typeof sampling>;
