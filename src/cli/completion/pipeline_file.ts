/** A pipeline file as plain values, for what is typed about it: not checked, and without a word where it is wrong. */

import { parseYaml, type Plain } from "../../config/document.ts";
import { expandMatrices } from "../../config/matrix.ts";
import { findPipelineFile } from "../../pipeline/find.ts";

/** The file's value. @throws where it cannot be found or parsed. */
export function pipelineValue(given: string): Plain {
  const file = findPipelineFile(given);
  return parseYaml(Deno.readTextFileSync(file), file).value;
}

/** A stage, as far as its name goes. */
export interface NamedStage {
  readonly id: string;
  readonly run: string;
}

/** Its stages: first those of the file, then those that a matrix makes. */
export function stagesIn(value: Plain): NamedStage[] {
  const own = stagesOf(value);
  const ids = new Set(own.map(({ id }) => id));
  return [...own, ...stagesOf(expandMatrices(value).value).filter(({ id }) => !ids.has(id))];
}

function stagesOf(value: Plain): NamedStage[] {
  const { stages } = value as unknown as { stages: NamedStage[] };
  return stages.filter(({ id, run }) => typeof id === "string" && typeof run === "string");
}
