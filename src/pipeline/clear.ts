/** Throws away what a stage left in its folder, and nothing that is not its own. */

import { join } from "node:path";
import type { StageKind } from "../config/schema.ts";
import { UserError } from "../stage/errors.ts";

const OF_ANY_STAGE = /^(stage\.json|status\.json|log\.txt)$/;

/** What stages write, by kind; a half-written name ends in `.partial` or `.replaced`. The lock stays: it is held. */
const RESULTS: Record<StageKind, RegExp> = {
  fetch: /^(fetch\.json|listing\.json|files)$/,
  prepare: /^((meta|statistics|progress|tokenizer)\.json|seen\.bin|(train|val|test)-\d{5}\.(bin|idx))$/,
  import: /^model$/,
  train: /^(metrics\.jsonl|train\.json|checkpoints|tensorboard)$/,
  eval: /^(eval\.json|answers\.jsonl)$/,
  decode: /^decode\.json$/,
  export: /^(hf|medusa)$/,
  report: /^report\.(html|json|csv|md)$/,
};

/** Removes a stage's results, so that it starts over. Links are removed, not followed. */
export function clearStage(folder: string, kind: StageKind): void {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
  // The status goes first: a kill on the way must not leave a "done" beside half of the results.
  names.sort((a, b) => Number(b === "status.json") - Number(a === "status.json"));
  for (const name of names) {
    const whole = name.replace(/\.(partial|replaced)$/, "");
    const isOwn = OF_ANY_STAGE.test(whole) || RESULTS[kind].test(whole);
    if (isOwn) Deno.removeSync(join(folder, name), { recursive: true });
  }
}

/**
 * Makes a folder where it is missing.
 * @throws {UserError} where something else has its name: a link could lead out of the runs folder.
 */
export function ensureFolder(folder: string): void {
  Deno.mkdirSync(folder, { recursive: true });
  if (!Deno.lstatSync(folder).isDirectory) {
    throw new UserError(
      `${folder} is a link, not a folder: move it away, or choose another name (--set name=...)`,
    );
  }
}
