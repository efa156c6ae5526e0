/** The axes of a matrix: which keys of a stage take which values, and what each value is called in ids. */

import { isPlainMap, type Path, type Plain, type PlainMap } from "./document.ts";
import { show } from "./problems.ts";

/** One value of an axis. */
export interface Choice {
  readonly label: string;
  readonly value: Plain;
  /** Where the file has it. */
  readonly path: Path;
}

/** A key of a stage that differs. */
export interface Axis {
  /** `model.heads.count`, as keys. */
  readonly keys: readonly string[];
  readonly choices: readonly Choice[];
}

/** Takes in what is wrong, and where the file has it. */
export type Refuse = (path: Path, message: string) => void;

/**
 * The axes that a stage's `matrix` names.
 *
 * @param own The stage's other keys: none of them can be an axis as well.
 * @param at Where the file has the stage.
 */
export function axesOf(matrix: Plain, own: PlainMap, at: Path, refuse: Refuse): Axis[] {
  const here = [...at, "matrix"];
  if (!isPlainMap(matrix) || Object.keys(matrix).length === 0) {
    refuse(here, `expected a map of keys and their values, found ${show(matrix)}`);
    return [];
  }
  const names = Object.keys(matrix);
  return Object.entries(matrix).map(([name, values], i) => {
    const keys = name.split(".");
    const inside = names.slice(0, i).find((earlier) => earlier.startsWith(`${name}.`));
    if (["id", "run", "each", "matrix"].includes(keys[0]!)) {
      refuse([...here, name], `"${name}" cannot differ within a stage: write two stages`);
    } else if (valueAt(own, keys) !== undefined) {
      refuse([...at, ...keys], `"${name}" is an axis of the stage's matrix: it is said there`);
    } else if (inside !== undefined) {
      refuse([...here, name], `"${name}" would replace what "${inside}" has set: put "${inside}" behind it`);
    }
    return { keys, choices: choicesOf(name, values, [...here, name], refuse) };
  });
}

function choicesOf(axis: string, values: Plain, path: Path, refuse: Refuse): Choice[] {
  const given: [key: PropertyKey, value: Plain][] = Array.isArray(values)
    ? [...values.entries()]
    : isPlainMap(values)
    ? Object.entries(values)
    : [];
  if (given.length === 0) {
    refuse(path, `expected a list of values or a map of labels to values, found ${show(values)}`);
  }
  const choices = given.map(([key, value]): Choice => {
    const here = [...path, key];
    const isPlain = typeof value !== "object" || value === null;
    if (typeof key === "number" && !isPlain) {
      refuse(here, `a value that is ${show(value)} needs a label: {label: value} in place of a list`);
    }
    const label = typeof key === "number" ? labelOf(axis, value) : String(key);
    if (!/^[\w-]+$/.test(label)) {
      refuse(here, `"${label}" cannot be part of an id: give it a label of letters`);
    }
    return { label, value, path: here };
  });
  const seen = new Set<string>();
  for (const { label, path } of choices) {
    if (seen.has(label)) refuse(path, `"${label}" stands here twice`);
    seen.add(label);
  }
  return choices;
}

function labelOf(axis: string, value: Plain): string {
  const text = String(value).replaceAll(/[^\w-]/g, "_");
  return axis === "seed" ? `s${text}` : text;
}

/** One value of every axis, the last one changing fastest. */
export function combinations(axes: readonly Axis[]): Choice[][] {
  return axes.reduce<Choice[][]>(
    (before, { choices }) => before.flatMap((chosen) => choices.map((choice) => [...chosen, choice])),
    [[]],
  );
}

/** Sets a value in a stage, which is changed; maps on the way to it are made where they are missing. */
export function take(
  { value, path }: Choice,
  keys: readonly string[],
  stage: PlainMap,
  refuse: Refuse,
): void {
  let holder = stage;
  for (const key of keys.slice(0, -1)) {
    holder[key] ??= {};
    const next = holder[key];
    if (!isPlainMap(next)) return refuse(path, `"${key}" is ${show(next)}: nothing can be set inside it`);
    holder = next;
  }
  holder[keys.at(-1)!] = structuredClone(value);
}

function valueAt(stage: PlainMap, keys: readonly string[]): Plain | undefined {
  return keys.reduce<Plain | undefined>((value, key) => isPlainMap(value) ? value[key] : undefined, stage);
}
