/** The runs that a page is about, and what their stages and arms are called where there are several. */

import { basename, join } from "node:path";
import { UserError } from "../stage/errors.ts";
import type { Need } from "../stage/io.ts";
import { pipelineFile } from "./inputs.ts";
import { readJson, type ReadText } from "./read.ts";

/** A run, or some stages of one. */
export interface Source {
  /** Absolute. */
  readonly folder: string;
  readonly needs: readonly Need[];
  /** Only these arms; default: all. */
  readonly arms?: readonly string[];
}

/** A run among others. */
export interface NamedSource extends Source {
  /** No two have the same. */
  readonly name: string;
  /** What a stage is called on the page. */
  stage(id: string): string;
  /** What an arm is called on the page. */
  arm(id: string): string;
}

/**
 * All stages of a run, in the order of its pipeline.
 *
 * @throws {UserError} where this is not the folder of a run, or one of these arms is not in it
 */
export function sourceOf(folder: string, arms: readonly string[] | undefined, read: ReadText): Source {
  const stages = readJson(read, join(folder, "pipeline.json"), pipelineFile)?.config?.stages;
  if (stages === undefined) {
    throw new UserError(
      `Cannot report on "${folder}": it is not the folder of a run, which holds a pipeline.json`,
    );
  }
  const needs = stages.filter(({ run }) => ["prepare", "train", "eval", "decode"].includes(run))
    .map(({ id, run }) => ({ id, run, folder: join(folder, id) }));
  const unknown = arms?.find((arm) => !stages.some(({ id, run }) => run === "train" && id === arm));
  if (unknown !== undefined) {
    const there = stages.filter(({ run }) => run === "train").map(({ id }) => id).join(", ") || "none";
    throw new UserError(`Cannot report on "${unknown}" of "${folder}": its arms are ${there}`);
  }
  return { folder, needs, ...(arms === undefined ? {} : { arms }) };
}

/** Stages are called by their run too where there are several runs, arms where two runs have an arm of one name. */
export function named(sources: readonly Source[]): NamedSource[] {
  const names = sources.map(({ folder }) => basename(folder));
  const unique = names.map((name, i) => {
    const before = names.slice(0, i).filter((other) => other === name).length;
    return before === 0 ? name : `${name} (${before + 1})`;
  });
  const arms = sources.flatMap((source) => armsOf(source));
  const clash = new Set(arms).size < arms.length;
  return sources.map((source, i) => {
    const prefixed = (id: string) => `${unique[i]!}/${id}`;
    return {
      ...source,
      name: unique[i]!,
      stage: (id) => sources.length > 1 ? prefixed(id) : id,
      arm: (id) => clash ? prefixed(id) : id,
    };
  });
}

function armsOf({ needs, arms }: Source): string[] {
  return needs.filter(({ id, run }) => run === "train" && (arms === undefined || arms.includes(id)))
    .map(({ id }) => id);
}
