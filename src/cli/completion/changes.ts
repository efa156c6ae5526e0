/** What may follow `--set`: keys of a pipeline file, one level at a time, then the words that the key takes. */

import { type Key, keysAt } from "../../config/fields.ts";
import type { Plain } from "../../config/document.ts";
import { pipelineSchema } from "../../config/schema.ts";
import type { Candidate } from "./candidates.ts";
import { pipelineValue } from "./pipeline_file.ts";

/**
 * Continuations of `ntp.train.st`, as `ntp.train.steps=`.
 *
 * @param file The pipeline, if one has been named.
 */
export function changes(current: string, file: string | undefined): Candidate[] {
  const value = file === undefined ? { stages: [] } : pipelineValue(file);
  const equals = current.indexOf("=");
  const path = (equals < 0 ? current : current.slice(0, equals)).split(".");
  const start = path.slice(0, -1);
  const keys = keysBelow(value, start);
  if (equals < 0) return keys.flatMap((key) => written(key, start));
  const words = keys.filter(({ name }) => name === path.at(-1)).flatMap(({ words }) => words);
  return [...new Set(words)].map((word) => ({ value: `${current.slice(0, equals + 1)}${word}` }));
}

function written({ name, about, hasKeys, hasValue }: Key, start: readonly string[]): Candidate[] {
  const path = [...start, name].join(".");
  return [
    ...(hasValue ? [{ value: `${path}=`, about }] : []),
    ...(hasKeys ? [{ value: `${path}.`, about }] : []),
  ];
}

type Stage = { [key: string]: Plain };

function keysBelow(value: Plain, [first, ...rest]: readonly string[]): Key[] {
  const { stages } = value as { stages: Stage[] };
  if (first === undefined) {
    const own = keysAt(pipelineSchema, value, []).filter(({ name }) => name !== "stages");
    return [
      ...own,
      ...stages.map(({ id, run }) => holder(String(id), String(run))),
      holder("*", "every stage"),
    ];
  }
  const found = stages.flatMap((stage, i) => {
    if (first !== "*" && first !== stage.id) return [];
    const matrix = stage.matrix as Stage | undefined;
    if (matrix !== undefined && rest[0] === "matrix") {
      return rest.length > 1 ? [] : Object.keys(matrix).map((axis) => leaf(axis, "values of an axis"));
    }
    const axes = matrix === undefined ? [] : Object.keys(matrix);
    const keys = keysAt(pipelineSchema, value, ["stages", i, ...rest])
      .filter(({ name }) => rest.length > 0 || !["id", "run"].includes(name))
      .filter(({ name }) => !axes.includes([...rest, name].join(".")));
    return rest.length > 0 || matrix === undefined ? keys : [...keys, holder("matrix", "axes")];
  });
  return [...new Map(found.map((key) => [key.name, key])).values()]; // `*` finds some of them often
}

const holder = (name: string, about: string): Key => ({
  name,
  about,
  hasKeys: true,
  hasValue: false,
  words: [],
});
const leaf = (name: string, about: string): Key => ({
  ...holder(name, about),
  hasKeys: false,
  hasValue: true,
});
