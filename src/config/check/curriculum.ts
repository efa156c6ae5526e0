/** What cannot be between the keys of a curriculum, or between its phases. */

import type { Path } from "../document.ts";
import type { Problem } from "../problems.ts";
import type { CurriculumConfig, WrittenCurriculum } from "../schema/curriculum.ts";

type WrittenPhase = NonNullable<WrittenCurriculum["phases"]>[number];

export function checkCurriculum(curriculum: CurriculumConfig, numHeads: number, path: Path): Problem[] {
  const given: WrittenCurriculum = typeof curriculum === "string" ? { preset: curriculum } : curriculum;
  const { preset = given.phases && "custom", phases } = given;
  if (preset === undefined) return [{ path, message: "expected preset or phases, found neither" }];
  if (preset === "custom" && phases === undefined) {
    return [{ path: [...path, "phases"], message: "missing: a custom curriculum is a list of phases" }];
  }
  if (preset === "reverse-refresh" && numHeads === 1) {
    return [{
      path,
      message: "reverse-refresh trains heads 2 to K again: expected at least 2 heads, found 1",
    }];
  }
  return [
    ...checkKeys(given, preset, path),
    ...checkAdaptive(given, path),
    ...(phases === undefined ? [] : checkPhases(phases, numHeads, [...path, "phases"])),
  ];
}

/** Which presets read which key; the others would pass over it in silence. */
const READERS: Partial<Record<keyof WrittenCurriculum, readonly string[]>> = {
  phases: ["custom"],
  interpolate: ["forward", "reverse", "forward-reverse", "reverse-refresh"],
  refresh: ["reverse-refresh"],
  refresh_lr: ["reverse-refresh"],
  order: ["adaptive"],
  window: ["adaptive"],
  threshold: ["adaptive"],
  min_steps: ["adaptive"],
  max_steps: ["adaptive"],
};

function checkKeys(given: WrittenCurriculum, preset: string, path: Path): Problem[] {
  const keys = Object.keys(given) as (keyof WrittenCurriculum)[];
  return keys.filter((key) => given[key] !== undefined && READERS[key]?.includes(preset) === false)
    .map((key) => {
      const readers = READERS[key]!;
      const message = `${preset} does not read "${key}": ${readers.join(" | ")} ${
        readers.length === 1 ? "does" : "do"
      }`;
      return { path: [...path, key], message, atKey: true };
    });
}

function checkAdaptive(
  { window = 1, min_steps = 1, max_steps = Infinity }: WrittenCurriculum,
  path: Path,
): Problem[] {
  const refuse = (message: string) => [{ path: [...path, "max_steps"], message }];
  if (min_steps > max_steps) return refuse(`expected at least min_steps (${min_steps}), found ${max_steps}`);
  if (2 * window <= max_steps) return [];
  return refuse(`expected at least two windows (2 x ${window}), which show what is flat, found ${max_steps}`);
}

function checkPhases(phases: readonly WrittenPhase[], numHeads: number, path: Path): Problem[] {
  let before = 0;
  const problems = phases.flatMap((phase, i) => {
    const found = checkPhase(phase, before, numHeads, [...path, i]);
    before = phase.until;
    return found;
  });
  if (before !== 1 && problems.length === 0) {
    problems.push({
      path: [...path, phases.length - 1, "until"],
      message: `the last phase ends at 1, found ${before}`,
    });
  }
  return problems;
}

function checkPhase(phase: WrittenPhase, before: number, numHeads: number, path: Path): Problem[] {
  const { until, weights, to = weights, freeze = [] } = phase;
  const found: Problem[] = [];
  const refuse = (key: string, message: string) => found.push({ path: [...path, key], message });
  if (until <= before) refuse("until", `expected more than the phase before (${before}), found ${until}`);
  for (const [key, numbers] of [["weights", weights], ["to", to]] as const) {
    if (numbers.length !== numHeads && phase[key] !== undefined) {
      refuse(key, `expected one number for each of ${numHeads} heads, found ${numbers.length}`);
    }
  }
  if (found.length > 0) return found;
  const awake = weights.map((weight, i) => weight > 0 || to[i]! > 0);
  if (!awake.includes(true)) refuse("weights", "expected at least one weight above 0");
  const stranger = freeze.find((part) => Number(part.slice("head".length)) > numHeads);
  if (stranger !== undefined) refuse("freeze", `there are ${numHeads} heads, found ${stranger}`);
  const isFrozen = (part: string) => freeze.includes(part);
  const learns = !isFrozen("trunk") || !isFrozen("embedding") ||
    (!isFrozen("heads") && awake.some((is, i) => is && !isFrozen(`head${i + 1}`)));
  if (!learns) refuse("freeze", "nothing that is awake is left to learn");
  return found;
}
