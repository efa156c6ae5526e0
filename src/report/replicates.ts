/** Arms that differ in nothing but their seed are replicates: one row of the comparison, with a mean and a spread. */

import type { Arm, Config, Results } from "./collect.ts";
import { differences } from "../formats/differences.ts";

/** Arms with equal settings and different seeds. */
export interface Replicates {
  /** What the arms' ids have in common, less what all sets share: `forward`, `forward-k8`. No two sets have the same. */
  readonly label: string;
  /** The curriculum's name. */
  readonly curriculum: string;
  /** K. */
  readonly heads: number;
  /** `linear`, `transformer`, ...; null where no configuration says. */
  readonly kind: string | null;
  /** In the order of their seeds. */
  readonly arms: readonly Replicate[];
  /** Whether it was trained for the next token only: what others are compared with. */
  readonly isReference: boolean;
  /** Label of the set that this one is compared with: of those on the same text, the one with the most settings alike. */
  readonly reference: string | null;
}

/** One arm of a set. */
export interface Replicate {
  /** Null where no configuration says. */
  readonly seed: number | null;
  readonly arm: Arm;
}

/** All arms, each in one set, in the order in which settings are first met. */
export function replicatesOf({ arms }: Pick<Results, "arms">): Replicates[] {
  const alike = [...Map.groupBy(arms.map(replicateOf), ({ arm }) => settingsOf(arm)).values()];
  const groups = alike.flatMap(withDistinctSeeds).map((group) =>
    [...group].sort((a, b) => (a.seed ?? 0) - (b.seed ?? 0))
  );
  const labels = labelsOf(groups);
  const sets = groups.map((group, i): Omit<Replicates, "reference"> => {
    const { arm } = group[0]!;
    return {
      label: labels[i]!,
      curriculum: arm.curriculum,
      heads: arm.heads,
      kind: kindOf(arm),
      arms: group,
      isReference: arm.curriculum === "ntp",
    };
  });
  return sets.map((set) => ({ ...set, reference: referenceOf(set, sets) }));
}

/** `linear`, ...; null where no configuration says. */
export function kindOf({ config }: Arm): string | null {
  const heads = (config?.model as Config | undefined)?.heads as Config | undefined;
  return typeof heads?.kind === "string" ? heads.kind : null;
}

/** `-s3` at the end of an id, or inside of it. */
const SEED = /-s(\d+)(?=-|$)/;

function replicateOf(arm: Arm): Replicate {
  const said = arm.config === null ? SEED.exec(arm.id)?.[1] : arm.config.seed;
  return { seed: said === undefined || !Number.isFinite(Number(said)) ? null : Number(said), arm };
}

/** The id less its seed. */
function stem({ seed, arm: { id } }: Replicate): string {
  const end = `-s${seed}`;
  const at = `${id}-`.indexOf(`${end}-`);
  return seed === null || at < 1 ? id : id.slice(0, at) + id.slice(at + end.length);
}

/** What replicates agree in, as text. */
function settingsOf(arm: Arm): string {
  if (arm.config === null) {
    return JSON.stringify([arm.run, arm.text, arm.curriculum, arm.heads, stem(replicateOf(arm))]);
  }
  return JSON.stringify([arm.text, ordered(withoutNames(arm.config))]);
}

function withoutNames({ id: _i, seed: _s, needs: _n, device: _d, threads: _t, ...rest }: Config): Config {
  return rest;
}

/** Objects with their keys in order. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(entries.map(([key, inner]) => [key, ordered(inner)]));
}

/** The same training under two names is no replicate of itself: such a group falls apart by run and name. */
function withDistinctSeeds(group: readonly Replicate[]): Replicate[][] {
  const isDistinct = (some: readonly Replicate[]) =>
    new Set(some.map(({ seed }) => seed)).size === some.length;
  if (isDistinct(group)) return [[...group]];
  return [...Map.groupBy(group, (one) => `${one.arm.run} ${stem(one)}`).values()].flatMap((named) =>
    isDistinct(named) ? [named] : named.map((one) => [one])
  );
}

function labelsOf(groups: readonly (readonly Replicate[])[]): string[] {
  const stems = groups.map((group) => [...new Set(group.map(stem))].join(", "));
  const short = withoutPrefix(stems, groups.map((group) => group[0]!.arm.curriculum));
  return short.map((label, i) => {
    if (short.indexOf(label) === short.lastIndexOf(label)) return label;
    return `${label} (${groups[i]!.map(({ arm }) => arm.id).join(", ")})`;
  });
}

/** `k4-forward` is `forward`, and `a/k4-forward-long` of the run a `a/forward-long`. */
function sinceCurriculum(label: string, curriculum: string): string {
  const [, run = "", own] = /^(.*\/)?(.*)$/s.exec(label)!;
  const at = `-${own}-`.indexOf(`-${curriculum}-`);
  return at < 0 ? label : run + own!.slice(at);
}

/** What stands before the curricula's names goes where labels still differ without it, else what all begin with. */
function withoutPrefix(labels: readonly string[], curricula: readonly string[]): string[] {
  const own = labels.map((label, i) => sinceCurriculum(label, curricula[i]!));
  if (new Set(own).size === own.length) return own;
  const parted = labels.map((label) => /^(.*\/)?(.*)$/s.exec(label)!); // the run's name, where there are several
  const words = parted.map(([, , own]) => own!.split("-"));
  const most = Math.min(...words.map((parts, i) => {
    const name = curricula[i]!.split("-")[0]!;
    const at = parts.indexOf(name);
    return at >= 0 ? at : labels.length > 1 ? parts.length - 1 : 0;
  }));
  const isShared = (i: number) => words.every((parts) => parts[i] === words[0]![i]);
  let shared = 0;
  while (shared < most && isShared(shared)) shared++;
  return words.map((parts, i) => (parted[i]![1] ?? "") + parts.slice(shared).join("-"));
}

type Unreferred = Omit<Replicates, "reference">;

function referenceOf(set: Unreferred, sets: readonly Unreferred[]): string | null {
  if (set.isReference) return null;
  const own = set.arms[0]!.arm;
  const rivals = sets.filter(({ isReference, arms }) => isReference && arms[0]!.arm.text === own.text);
  const unlike = ({ arms }: Unreferred) => differences(comparable(arms[0]!.arm), comparable(own)).length;
  return rivals.reduce<Unreferred | null>((best, rival) => {
    return best === null || unlike(rival) < unlike(best) ? rival : best;
  }, null)?.label ?? null;
}

function comparable({ config, run }: Arm): Config {
  const { curriculum: _c, ...rest } = withoutNames(config ?? {});
  return { ...rest, run };
}
