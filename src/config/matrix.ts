/**
 * Stages that stand for many: `matrix` makes one stage for each combination of values, `each` one for each stage that
 * another one stands for. Expanded as plain values, before the schema looks at them, so that a value in a matrix is
 * checked like any other; problems are told where the file has their cause.
 *
 * | in the file | stages |
 * | --- | --- |
 * | `id: arm`, `matrix: {curriculum: [ntp, mtp], seed: [1, 2]}` | `arm-ntp-s1`, `arm-ntp-s2`, `arm-mtp-s1`, `arm-mtp-s2` |
 * | `id: text`, `matrix: {tokenizer: {bytes: bytes, bpe: {kind: bpe, vocab: 4096}}}` | `text-bytes`, `text-bpe` |
 * | `id: eval`, `each: arm` | `eval-ntp-s1` and so on, each of which needs its arm |
 * | `needs: [arm]` | all arms |
 */

import type { Path, Plain } from "./document.ts";
import { didYouMean } from "./nearest.ts";
import { type Problem, show } from "./problems.ts";

/** Stages that a file may stand for. */
export const MOST_STAGES = 10_000;

/** A pipeline in which every stage stands for itself. */
export interface Expanded {
  readonly value: Plain;
  /** The ids that each stage with `matrix` or `each` stands for, in their order. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /** What is wrong with the matrices: where the file has it. With any, `value` is the file's own. */
  readonly problems: readonly Problem[];
  /** Where the file has what stands at a path of `value`. */
  origin(path: Path): Path;
}

type Stage = { [key: string]: Plain };

/** One value of an axis. */
interface Choice {
  readonly label: string;
  readonly value: Plain;
  /** Where the file has it. */
  readonly path: Path;
}

interface Axis {
  /** `model.heads.count`, as keys. */
  readonly keys: readonly string[];
  readonly choices: readonly Choice[];
}

/** One of the stages that a stage stands for. */
interface Member {
  readonly id: string;
  /** Its id less that of the stage which stands for it. */
  readonly suffix: string;
  readonly stage: Stage;
  /** Paths in `stage`, and where the file has what stands there. */
  readonly moved: readonly (readonly [path: Path, origin: Path])[];
  /** Of the stage in the file that it comes from. */
  readonly index: number;
}

/** Replaces every stage of `root` that stands for many; see the table above. */
export function expandMatrices(root: Plain): Expanded {
  const stages = isMap(root) && Array.isArray(root.stages) ? root.stages : [];
  if (!stages.some((stage) => isMap(stage) && ("matrix" in stage || "each" in stage))) {
    return { value: root, groups: {}, problems: [], origin: (path) => path };
  }
  const expansion = new Expansion(stages);
  const members = expansion.members();
  const { problems, groups } = expansion;
  if (problems.length > 0) return { value: root, groups: {}, problems, origin: (path) => path };
  return {
    value: { ...root as Stage, stages: members.map(({ stage }) => stage) },
    groups,
    problems,
    origin: (path) => {
      const member = path[0] === "stages" ? members[path[1] as number] : undefined;
      if (member === undefined) return path;
      const rest = path.slice(2);
      const found = member.moved.find(([moved]) => moved.every((key, i) => rest[i] === key));
      if (found === undefined) return ["stages", member.index, ...rest];
      return [...found[1], ...rest.slice(found[0].length)];
    },
  };
}

class Expansion {
  readonly problems: Problem[] = [];
  readonly groups: Record<string, readonly string[]> = {};
  readonly #stages: readonly Plain[];
  /** By index; `null` while it is being found: then its `each` runs in a circle. */
  readonly #found = new Map<number, readonly Member[] | null>();

  constructor(stages: readonly Plain[]) {
    this.#stages = stages;
  }

  /** All stages, each standing for itself. */
  members(): Member[] {
    const members = this.#stages.flatMap((_, i) => this.#membersOf(i));
    if (members.length > MOST_STAGES) this.#refuse(["stages"], tooMany(members.length));
    if (this.problems.length === 0) this.#checkIds(members); // else one mistake is told twice
    return members.map((member) => this.#withNeeds(member));
  }

  #refuse(path: Path, message: string): void {
    this.problems.push({ path, message });
  }

  #membersOf(index: number): readonly Member[] {
    const known = this.#found.get(index);
    if (known === null) this.#refuse(["stages", index, "each"], "runs in a circle");
    if (known !== undefined) return known ?? [];
    this.#found.set(index, null);
    const members = this.#expand(index);
    this.#found.set(index, members);
    return members;
  }

  #expand(index: number): readonly Member[] {
    const given = this.#stages[index]!;
    if (!isMap(given)) return [{ id: "", suffix: "", stage: given as never, moved: [], index }];
    const { matrix, each, ...own } = given;
    const id = String(given.id);
    if (matrix === undefined && each === undefined) {
      return [{ id, suffix: id, stage: given, moved: [], index }];
    }
    const axes = matrix === undefined ? [] : this.#axes(matrix, own, index);
    const outer = each === undefined ? [undefined] : this.#each(each, index);
    const number = axes.reduce((product, { choices }) => product * choices.length, outer.length);
    if (number > MOST_STAGES) {
      this.#refuse(["stages", index, matrix === undefined ? "each" : "matrix"], tooMany(number));
      return [];
    }
    const members = outer.flatMap((other) =>
      combinations(axes).map((choices): Member => {
        const suffix = [...(other === undefined ? [] : [other.label]), ...choices.map(({ label }) => label)]
          .join("-");
        const stage = copyOf(own);
        for (const [i, { value }] of choices.entries()) {
          this.#assign(stage, axes[i]!.keys, value, choices[i]!.path);
        }
        const needs = other === undefined ? {} : { needs: [...listOf(own.needs), other.id] };
        return {
          id: `${id}-${suffix}`,
          suffix,
          stage: { ...stage, ...needs, id: `${id}-${suffix}` },
          moved: [
            ...choices.map(({ path }, i) => [axes[i]!.keys, path] as const),
            [["needs", listOf(own.needs).length], ["stages", index, "each"]],
          ],
          index,
        };
      })
    );
    this.groups[id] = members.map((member) => member.id);
    return members;
  }

  #axes(matrix: Plain, own: Stage, index: number): Axis[] {
    const at: Path = ["stages", index, "matrix"];
    if (!isMap(matrix) || Object.keys(matrix).length === 0) {
      this.#refuse(at, `expected a map of keys and their values, found ${show(matrix)}`);
      return [];
    }
    return Object.entries(matrix).map(([name, values]) => {
      const keys = name.split(".");
      if (["id", "run", "each", "matrix"].includes(keys[0]!)) {
        this.#refuse([...at, name], `"${name}" cannot differ within a stage: write two stages`);
      } else if (valueAt(own, keys) !== undefined) {
        this.#refuse(
          ["stages", index, ...keys],
          `"${name}" is an axis of the stage's matrix: it is said there`,
        );
      }
      return { keys, choices: this.#choices(name, values, [...at, name]) };
    });
  }

  #choices(axis: string, values: Plain, path: Path): Choice[] {
    const given: [key: PropertyKey, value: Plain][] = Array.isArray(values)
      ? [...values.entries()]
      : isMap(values)
      ? Object.entries(values)
      : [];
    if (given.length === 0) {
      this.#refuse(path, `expected a list of values or a map of labels to values, found ${show(values)}`);
    }
    const choices = given.map(([key, value]): Choice => {
      const here = [...path, key];
      const isPlain = typeof value !== "object" || value === null;
      if (typeof key === "number" && !isPlain) {
        this.#refuse(here, `a value that is ${show(value)} needs a label: {label: value} in place of a list`);
      }
      const label = typeof key === "number" ? labelOf(axis, value) : String(key);
      if (!/^[\w-]+$/.test(label)) {
        this.#refuse(here, `"${label}" cannot be part of an id: give it a label of letters`);
      }
      return { label, value, path: here };
    });
    const twice = choices.find(({ label }, i) => choices.findIndex((other) => other.label === label) < i);
    if (twice !== undefined) this.#refuse(twice.path, `"${twice.label}" stands here twice`);
    return choices;
  }

  #each(each: Plain, index: number): { label: string; id: string }[] {
    const at: Path = ["stages", index, "each"];
    const names = [each].flat();
    const ids = this.#stages.map((stage) => isMap(stage) ? String(stage.id) : "");
    return names.flatMap((name) => {
      const other = ids.indexOf(String(name));
      if (other < 0 || other === index) {
        this.#refuse(at, `no other stage has the id ${JSON.stringify(name)}${didYouMean(String(name), ids)}`);
        return [];
      }
      // Members of two stages may have one suffix: then ids tell them apart.
      return this.#membersOf(other).map(({ id, suffix }) => ({
        id,
        label: names.length === 1 ? suffix : id,
      }));
    });
  }

  #assign(stage: Stage, keys: readonly string[], value: Plain, path: Path): void {
    let holder = stage;
    for (const key of keys.slice(0, -1)) {
      holder[key] ??= {};
      const next = holder[key];
      if (!isMap(next)) return this.#refuse(path, `"${key}" is ${show(next)}: nothing can be set inside it`);
      holder = next;
    }
    holder[keys.at(-1)!] = copyOf(value);
  }

  /** Two stages may come to one id, as `a` with `b-c` and `a-b` with `c` do. */
  #checkIds(members: readonly Member[]): void {
    const seen = new Map<string, Member>();
    for (const member of members) {
      const other = seen.get(member.id);
      const isExpanded = [other, member].some((one) => one && this.groups[String(this.#idAt(one.index))]);
      if (other !== undefined && isExpanded) {
        this.#refuse(
          ["stages", member.index, "id"],
          `comes to "${member.id}", which ${this.#idAt(other.index)} comes to as well: choose another id`,
        );
        return;
      }
      seen.set(member.id, member);
    }
  }

  #idAt(index: number): Plain {
    return (this.#stages[index] as Stage).id!;
  }

  /** The stages that a name in `needs` stands for, in its place. */
  #withNeeds(member: Member): Member {
    const { stage, moved, index } = member;
    if (!isMap(stage) || !Array.isArray(stage.needs)) return member;
    const own = listOf((this.#stages[index] as Stage).needs).length;
    const needs = stage.needs.flatMap((need, i) => {
      const ids = typeof need === "string" && Object.hasOwn(this.groups, need) ? this.groups[need]! : [need];
      const origin: Path = ["stages", index, ...(i < own ? ["needs", i] : ["each"])];
      return ids.map((id) => ({ id, origin }));
    });
    const others = moved.filter(([path]) => path[0] !== "needs");
    return {
      ...member,
      stage: { ...stage, needs: needs.map(({ id }) => id) },
      moved: [...others, ...needs.map(({ origin }, i) => [["needs", i], origin] as const)],
    };
  }
}

const tooMany = (number: number): string =>
  `expands to ${number.toLocaleString("en")} stages: at most ${
    MOST_STAGES.toLocaleString("en")
  } are run as one`;

function labelOf(axis: string, value: Plain): string {
  const text = String(value).replaceAll(/[^\w-]/g, "_");
  return axis === "seed" ? `s${text}` : text;
}

/** One value of every axis, the last one changing fastest. */
function combinations(axes: readonly Axis[]): Choice[][] {
  return axes.reduce<Choice[][]>(
    (before, { choices }) => before.flatMap((chosen) => choices.map((choice) => [...chosen, choice])),
    [[]],
  );
}

function isMap(value: Plain | undefined): value is Stage {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const listOf = (value: Plain | undefined): Plain[] => Array.isArray(value) ? value : [];

function valueAt(stage: Stage, keys: readonly string[]): Plain | undefined {
  return keys.reduce<Plain | undefined>((value, key) => isMap(value) ? value[key] : undefined, stage);
}

const copyOf = <T extends Plain>(value: T): T => structuredClone(value);
