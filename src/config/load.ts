/** From a pipeline file to stages that are self-contained, or to a list of what to put right in it. */

import { resolve } from "node:path";
import { UsageError } from "../stage/errors.ts";
import { checkPipeline } from "./check.ts";
import { checkTasks } from "./check/tasks.ts";
import { withKnownDataset } from "./datasets.ts";
import { isFetched } from "./fetched.ts";
import { expandMatrices } from "./matrix.ts";
import { inOrder } from "./needs.ts";
import { parseYaml, type Path, type YamlDocument } from "./document.ts";
import { type Applied, applyOverrides } from "./overrides.ts";
import { type Problem, problemsOf, showPath } from "./problems.ts";
import { applySize } from "./sizes.ts";
import { type PipelineConfig, type PipelineFile, pipelineSchema, type StageConfig } from "./schema.ts";
import { resolveDecode } from "./schema/decode.ts";
import { readFile } from "./read_file.ts";
import { resolveEval } from "./schema/eval.ts";
import { resolvePrepare } from "./schema/prepare.ts";

/**
 * Reads and checks a pipeline file.
 * @param overrides `a.b=c`, as after `--set`; see {@link applyOverrides}.
 * @throws {UsageError} with one line for each problem: `file:line:column: stages[1].train.lr: expected ...`.
 */
export function loadPipeline(file: string, overrides: readonly string[] = []): PipelineConfig {
  return parse(readFile(file), file, Deno.cwd(), overrides, checkTasks);
}

/**
 * The same from text; reads no file.
 * @param file only named in messages.
 * @param base absolute: relative paths of inputs are taken from here.
 */
export function parsePipeline(
  text: string,
  file: string,
  base: string,
  overrides: readonly string[] = [],
): PipelineConfig {
  return parse(text, file, base, overrides, () => []);
}

function parse(
  text: string,
  file: string,
  base: string,
  overrides: readonly string[],
  further: (pipeline: PipelineFile, base: string) => Problem[],
): PipelineConfig {
  const document = parseYaml(text, file);
  const sized = applySize(document, file, overrides, pipelineSchema);
  const applied = [...sized.applied, ...applyOverrides(document.value, sized.overrides, pipelineSchema)];
  const expanded = expandMatrices(document.value);
  const refuse = (problems: readonly Problem[]): void => {
    if (problems.length === 0) return;
    const inFile = problems.map((problem) => ({ ...problem, path: expanded.origin(problem.path) }));
    throw new UsageError(describe(inFile, document, file, applied));
  };
  refuse(expanded.problems);
  const checked = pipelineSchema.safeParse(expanded.value);
  if (!checked.success) refuse(problemsOf(pipelineSchema, expanded.value, checked.error.issues));
  refuse([...checkPipeline(checked.data!), ...further(checked.data!, base)]);
  return resolvePipeline(checked.data!, base, expanded.groups);
}

/**
 * A pipeline that has no file: what a command line says.
 *
 * @param name Of the run.
 * @throws {UsageError} with one line for each problem: `dataset: expected ...`.
 */
export function configOfStages(stages: readonly object[], name: string): PipelineConfig {
  const given = { name, stages };
  const checked = pipelineSchema.safeParse(given);
  const problems = checked.success
    ? checkPipeline(checked.data)
    : problemsOf(pipelineSchema, given, checked.error.issues);
  if (problems.length > 0) {
    const where = (path: Path) => showPath(path[0] === "stages" ? path.slice(2) : path);
    throw new UsageError(problems.map(({ path, message }) => `${where(path)}: ${message}`).join("\n"));
  }
  return resolvePipeline(checked.data!, Deno.cwd(), {});
}

/** One line for each problem, in the order of the file; those of `--set` last. */
function describe(problems: Problem[], document: YamlDocument, file: string, applied: Applied[]): string {
  const found = problems.map(({ path, message, atKey }) => {
    const source = applied.findLast((override) => startsWith(path, override.path))?.source;
    const position = document.position(path, atKey ? "key" : undefined);
    const shown = path.length === 0 ? "" : `${showPath(atKey ? path.slice(0, -1) : path)}: `;
    return {
      order: source ? Infinity : lineAndColumn(position),
      where: `${source ?? `${file}:${position}`}: ${shown === ": " ? "" : shown}`,
      message,
    };
  });
  found.sort((a, b) => a.order === b.order ? 0 : a.order - b.order);
  return [...Map.groupBy(found, ({ where }) => where)].flatMap(([where, here]) => {
    const messages = [...new Set(here.map(({ message }) => message))];
    const shown = messages.slice(0, SHOWN).map((message) => where + message);
    const more = messages.length - SHOWN;
    return more > 0 ? [...shown, `${where}and ${more} more of this kind`] : shown;
  }).join("\n");
}

/** Problems told of one place: all stages of a matrix may have one there. */
const SHOWN = 3;

function lineAndColumn(position: string): number {
  const [line, column] = position.split(":").map(Number);
  return line! * 1e6 + column!;
}

function startsWith(path: Path, start: Path): boolean {
  return start.every((key, i) => path[i] === key);
}

/** Makes each stage self-contained: what the whole pipeline says, and absolute paths. */
function resolvePipeline(
  file: PipelineFile,
  base: string,
  groups: PipelineConfig["groups"],
): PipelineConfig {
  return { ...file, groups, stages: inOrder(file.stages).map((stage) => resolveStage(stage, file, base)) };
}

function resolveStage(stage: PipelineFile["stages"][number], file: PipelineFile, base: string): StageConfig {
  const { seed, device, threads } = file;
  const absolute = (path: string) => isFetched(path) ? path : resolve(base, path); // without `.` and `..` too
  switch (stage.run) {
    case "prepare":
      return { ...resolvePrepare(stage, absolute), seed };
    case "decode":
      return { ...resolveDecode(stage, absolute), seed, device, threads };
    case "import":
      return { ...stage, from: absolute(stage.from) };
    case "export":
      return stage.from === undefined ? stage : { ...stage, from: absolute(stage.from) };
    case "eval":
      return { ...resolveEval(stage, absolute), seed, device, threads };
    case "fetch":
      return withKnownDataset(stage);
    case "report":
      return stage.from === undefined
        ? stage
        : { ...stage, from: stage.from.map((other) => ({ ...other, run: absolute(other.run) })) };
    default:
      return { ...stage, seed: stage.seed ?? seed, device, threads };
  }
}
