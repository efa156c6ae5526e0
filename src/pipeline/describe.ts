/** `foretoken plan` and `--dry-run`: what would run, what each stage may touch, and how long it takes. Changes nothing. */

import { join, relative, resolve } from "node:path";
import type { PipelineConfig } from "../config/schema.ts";
import { roundly } from "./board.ts";
import { type Estimate, Estimator, sideBySide } from "./estimate.ts";
import { NATIVE } from "./permission_table.ts";
import { type Access, accessOf, type Places } from "./permissions.ts";
import { type PlannedStage, planPipeline, type State } from "./plan.ts";
import { folderOf, type Order } from "./run.ts";
import { checkRunFormat } from "./run_file.ts";
import { select, type Task } from "./select.ts";
import { findPlaces } from "./start.ts";

const STATES: Record<State, string> = {
  done: "done before, unchanged",
  continue: "begun before, would go on",
  new: "would run",
  changed: "ran before with other settings or inputs, would start over",
};

/** One stage of the plan. */
interface Item {
  readonly stage: PlannedStage;
  readonly access: Access;
  readonly estimate: Estimate | undefined;
  /** The stage with a matrix that it comes from. */
  readonly group: string | undefined;
}

/** The stages that a command means, with what they may touch; of a run that could not go on as asked, all of them. */
function itemsOf({ config, selection, file }: Order, places: Places): Item[] {
  checkRunFormat(places.run);
  const plan = planPipeline(config, places.run);
  const isPartial = selection.kind !== undefined || selection.only !== undefined ||
    selection.from !== undefined;
  const chosen = isPartial || selection.force !== false
    ? select(plan, selection, { file, words: file }, config.groups).map(asPlanned)
    : plan;
  const estimator = new Estimator(places.run);
  const groupOf = new Map(
    Object.entries(config.groups).flatMap(([group, ids]) => ids.map((id) => [id, group])),
  );
  return chosen.map((stage) => ({
    stage,
    access: accessOf(stage.config, places),
    estimate: stage.state === "done" ? undefined : estimator.estimate(stage),
    group: groupOf.get(stage.config.id),
  }));
}

/** A stage that starts over by force is as good as changed. */
const asPlanned = ({ stage, action }: Task): PlannedStage =>
  action === "clear and run" && stage.state === "done" ? { ...stage, state: "changed" } : stage;

/** The plan for scripts. Paths are absolute, times in seconds; null where a time cannot be told. */
export function planAsJson(order: Order): object {
  const places = findPlaces(resolve(folderOf(order)));
  const stages = itemsOf(order, places).map(
    ({ stage: { config, folder, state, changes }, access, estimate }) => {
      const { read, write, native, cuda, connect } = access;
      const { id, run, needs } = config;
      const seconds = state === "done" ? 0 : estimate?.seconds ?? null;
      return { id, run, needs, state, changes, seconds, folder, read, write, native, cuda, connect };
    },
  );
  return { name: order.config.name, folder: places.run, stages };
}

/** A few lines for each stage; stages of one matrix that would go the same way stand together. */
export function describePlan(order: Order): string {
  const places = findPlaces(resolve(folderOf(order)));
  const items = itemsOf(order, places);
  const blocks = Map.groupBy(
    items,
    ({ stage, group }) => `${group ?? stage.config.id} ${stage.state} ${stage.changes}`,
  );
  return [
    `${order.config.name}, into ${shortened(places.run)}: ${counted(items)}`,
    ...[...blocks.values()].map((block) => describeBlock(block, places, order.config.groups)),
    totalOf(items, order.jobs ?? 1),
  ].join("\n\n");
}

function counted(items: readonly Item[]): string {
  const kinds = Map.groupBy(items, ({ stage }) => stage.config.run);
  const done = items.filter(({ stage }) => stage.state === "done").length;
  const each = [...kinds].map(([kind, { length }]) => `${length} ${kind}`).join(", ");
  return `${items.length} stages (${each}), ${done} of them done`;
}

function describeBlock(block: readonly Item[], { run }: Places, groups: PipelineConfig["groups"]): string {
  const { stage: { config, state, changes }, access, group } = block[0]!;
  const why = changes.length > 0 ? ` (${changes.join("; ")})` : "";
  const title = block.length === 1
    ? `${config.id} (${config.run})`
    : `${group} (${config.run}), ${block.length} stages`;
  const ids = block.map(({ stage }) => stage.config.id);
  // What one of them reads stands for all: its own folder, and those of its needs.
  const own = new Set([
    config.id,
    ...block.length === 1 ? [] : config.needs.filter((need) => isOwnOf(block, need)),
  ]);
  const path = (full: string) => {
    const id = relative(run, full);
    return block.length > 1 && own.has(id) ? `${shortened(run)}/${id} (each its own)` : shortened(full);
  };
  return [
    `${title}: ${STATES[state]}${why}${timeOf(block)}`,
    ...(block.length > 1 ? wrapped("   stages  ", ids) : []),
    ...wrapped("   reads   ", together(access.read, run, groups).map(path)),
    ...wrapped("   writes  ", access.write.map(path)),
    ...(access.connect.length > 0 ? wrapped("   reaches ", access.connect) : []),
    `   native code: ${NATIVE[access.native]}, GPU: ${access.cuda ? "if there is one" : "no"}, ` +
    `network: ${access.connect.length > 0 ? "these hosts" : "no"}`,
  ].join("\n");
}

/** Folders of all stages of a matrix as one: `runs/study/arm-...`. */
function together(paths: readonly string[], run: string, groups: PipelineConfig["groups"]): string[] {
  const whole = Object.entries(groups).filter(([, ids]) => ids.every((id) => paths.includes(join(run, id))));
  const members = new Set(whole.flatMap(([, ids]) => ids.map((id) => join(run, id))));
  return [
    ...paths.filter((path) => !members.has(path)),
    ...whole.map(([group, ids]) => `${join(run, group)}-* (${ids.length})`),
  ];
}

/** Whether only some stages of a block need this one. */
const isOwnOf = (block: readonly Item[], need: string): boolean =>
  !block.every(({ stage }) => stage.config.needs.includes(need));

function timeOf(block: readonly Item[]): string {
  const left = block.filter(({ stage }) => stage.state !== "done");
  if (left.length === 0) return "";
  if (left.some(({ estimate }) => estimate === undefined)) return ", time unknown";
  const seconds = left.reduce((sum, { estimate }) => sum + estimate!.seconds, 0);
  return `, about ${roundly(seconds)}${left.length > 1 ? ` (${roundly(seconds / left.length)} each)` : ""}`;
}

function totalOf(items: readonly Item[], jobs: number): string {
  const left = items.filter(({ stage }) => stage.state !== "done");
  if (left.length === 0) return "Nothing to do.";
  const known = left.flatMap(({ stage: { config }, estimate }) =>
    estimate === undefined ? [] : [{ config, ...estimate }]
  );
  const seconds = sideBySide(known, jobs);
  const unknown = left.length - known.length;
  const more = unknown === 0
    ? ""
    : `, and ${unknown} ${unknown === 1 ? "stage" : "stages"} whose time cannot be told`;
  const basis = known.every(({ measured }) => measured)
    ? "by what such stages took here before"
    : known.some(({ measured }) => measured)
    ? "in part by what such stages took here before, else by two cores of a usual machine"
    : "by two cores of a usual machine; none of this has been timed here yet";
  return `${left.length} ${left.length === 1 ? "stage" : "stages"} to run, about ${
    roundly(seconds)
  }${more}: ${basis}.`;
}

function shortened(path: string): string {
  const fromHere = relative(Deno.cwd(), path);
  return fromHere.startsWith("..") ? path : fromHere || ".";
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
