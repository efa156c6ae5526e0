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

import { axesOf, combinations, take } from "./axes.ts";
import { isPlainMap, type Path, type Plain, type PlainMap } from "./document.ts";
import { didYouMean } from "./nearest.ts";
import type { Problem } from "./problems.ts";

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

type Stage = PlainMap;

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
  const stages = isPlainMap(root) && Array.isArray(root.stages) ? root.stages : [];
  if (!stages.some((stage) => isPlainMap(stage) && ("matrix" in stage || "each" in stage))) {
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
  /** Stages in all, so far. */
  #number = 0;

  constructor(stages: readonly Plain[]) {
    this.#stages = stages;
  }

  /** All stages, each standing for itself. */
  members(): Member[] {
    const members = this.#stages.flatMap((_, i) => this.#membersOf(i));
    if (this.#number > MOST_STAGES) this.#refuse(["stages"], tooMany(this.#number));
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
    if (!isPlainMap(given)) return [{ id: "", suffix: "", stage: given as never, moved: [], index }];
    const { matrix, each, ...own } = given;
    const id = String(given.id);
    if (matrix === undefined && each === undefined) {
      this.#number++;
      return [{ id, suffix: id, stage: given, moved: [], index }];
    }
    const refuse = (path: Path, message: string) => this.#refuse(path, message);
    const axes = matrix === undefined ? [] : axesOf(matrix, own, ["stages", index], refuse);
    const outer = each === undefined ? [undefined] : this.#each(each, index);
    const number = axes.reduce((product, { choices }) => product * choices.length, outer.length);
    if (number > MOST_STAGES) {
      this.#refuse(["stages", index, matrix === undefined ? "each" : "matrix"], tooMany(number));
      return [];
    }
    this.#number += number;
    if (this.#number > MOST_STAGES) return []; // so many are not made, only counted
    const members = outer.flatMap((other) =>
      combinations(axes).map((choices): Member => {
        const suffix = [...(other === undefined ? [] : [other.label]), ...choices.map(({ label }) => label)]
          .join("-");
        const stage = copyOf(own);
        for (const [i, choice] of choices.entries()) take(choice, axes[i]!.keys, stage, refuse);
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

  #each(each: Plain, index: number): { label: string; id: string }[] {
    const at: Path = ["stages", index, "each"];
    const names = [each].flat();
    const ids = this.#stages.map((stage) => isPlainMap(stage) ? String(stage.id) : "");
    return names.flatMap((name) => {
      const other = ids.indexOf(String(name));
      if (other === index) {
        this.#refuse(at, "a stage cannot be expanded along with itself");
        return [];
      }
      if (other < 0) {
        this.#refuse(at, `no stage has the id ${JSON.stringify(name)}${didYouMean(String(name), ids)}`);
        return [];
      }
      // Members of two stages may have one suffix: then ids tell them apart.
      return this.#membersOf(other).map(({ id, suffix }) => ({
        id,
        label: names.length === 1 ? suffix : id,
      }));
    });
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
    if (!isPlainMap(stage) || !Array.isArray(stage.needs)) return member;
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

const listOf = (value: Plain | undefined): Plain[] => Array.isArray(value) ? value : [];

const copyOf = <T extends Plain>(value: T): T => structuredClone(value);
