/** `foretoken plan`: what would run, and what each stage may touch. Changes nothing. */

import { join, relative, resolve } from "node:path";
import { NATIVE } from "./permission_table.ts";
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

/** The plan for scripts. Paths are absolute. */
export function planAsJson({ config, runs }: Order): object {
  const places = findPlaces(join(resolve(runs), config.name));
  const stages = planPipeline(config, places.run).map(({ config: stage, folder, state, changes }) => {
    const { read, write, native, cuda, connect } = accessOf(stage, places);
    return {
      id: stage.id,
      run: stage.run,
      needs: stage.needs,
      state,
      changes,
      folder,
      read,
      write,
      native,
      cuda,
      connect,
    };
  });
  return { name: config.name, folder: places.run, stages };
}

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
      ...wrapped("   reads   ", access.read.map(short)),
      ...wrapped("   writes  ", access.write.map(short)),
      ...(access.connect.length > 0 ? wrapped("   reaches ", access.connect) : []),
      `   native code: ${NATIVE[access.native]}, GPU: ${access.cuda ? "if there is one" : "no"}, ` +
      `network: ${access.connect.length > 0 ? "these hosts" : "no"}`,
    ].join("\n");
  };
  const stages = planPipeline(config, places.run).map(describe);
  return [`${config.name}, into ${short(places.run)}`, ...stages].join("\n\n");
}

/** Words behind a title, on as many lines of 80 columns as they take. */
function wrapped(title: string, words: readonly string[]): string[] {
  const lines: string[] = [];
  let line = title;
  for (const [i, word] of words.entries()) {
    const isFull = i > 0 && line.length + 2 + word.length > 80;
    if (isFull) lines.push(line);
    line = isFull ? " ".repeat(title.length) + word : line + (i === 0 ? "" : "  ") + word;
  }
  return [...lines, line];
}
