/** `foretoken plan`: what would run, and what each stage may touch. Changes nothing. */

import { join, relative, resolve } from "node:path";
import { accessOf } from "./permissions.ts";
import { type PlannedStage, planPipeline, type State } from "./plan.ts";
import type { Order } from "./run.ts";
import { findPlaces } from "./start.ts";

const STATES: Record<State, string> = {
  done: "done before, unchanged",
  continue: "begun before, would go on",
  new: "would run",
  changed: "ran before with other settings or inputs, would start over",
};

/** A few lines for each stage. */
export function describePlan({ config, runs }: Order): string {
  const places = findPlaces(join(resolve(runs), config.name));
  const here = Deno.cwd();
  const short = (path: string) => {
    const fromHere = relative(here, path);
    return fromHere.startsWith("..") ? path : fromHere || ".";
  };
  const describe = ({ config: stage, state, changes }: PlannedStage, i: number): string => {
    const access = accessOf(stage, places);
    const why = changes.length > 0 ? ` (${changes.join("; ")})` : "";
    return [
      `${i + 1}. ${stage.id} (${stage.run}): ${STATES[state]}${why}`,
      `   reads   ${access.read.map(short).join("  ")}`,
      `   writes  ${access.write.map(short).join("  ")}`,
      `   native code: ${access.native ? "yes" : "no"}, GPU: ${
        access.cuda ? "if there is one" : "no"
      }, network: no`,
    ].join("\n");
  };
  const stages = planPipeline(config, places.run).map(describe);
  return [`${config.name}, into ${short(places.run)}`, ...stages].join("\n\n");
}
