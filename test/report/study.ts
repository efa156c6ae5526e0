/** A study in memory: curricula with several seeds, an eval and a decode stage for each arm, as a matrix makes them. */

import type { Need } from "../../src/stage/io.ts";
import { completeRun, type Files } from "./fixture.ts";

/** The folder of the report stage in {@link studyRun}. */
export const STUDY_REPORT = "/runs/study/report";

/** An arm of the study. */
export interface StudyArm {
  readonly curriculum: "ntp" | "forward" | "mtp";
  readonly seed: number;
  /** Tells arms of one curriculum and seed apart, by their width. */
  readonly variant?: number;
}

/** Three seeds of each. */
export const STUDY: readonly StudyArm[] = (["ntp", "forward", "mtp"] as const).flatMap((curriculum) =>
  [1, 2, 3].map((seed) => ({ curriculum, seed }))
);

/** `arm-forward-s2` */
export const armId = (arm: StudyArm): string => `arm-${suffixOf(arm)}`;
const suffixOf = ({ curriculum, seed, variant }: StudyArm): string =>
  `${curriculum}${variant === undefined ? "" : `-v${variant}`}-s${seed}`;

/** What an arm's bits per byte are made of: the curriculum's, less what its seed gives to all. */
const BITS = { ntp: 1.5, forward: 1.53, mtp: 1.6 };
export const bitsOf = ({ curriculum, seed }: StudyArm): number =>
  BITS[curriculum] + 0.01 * seed +
  (curriculum === "mtp" ? 0.001 * (seed % 2) : 0.03 * (seed % 3) * Number(curriculum === "forward"));

/** The needs of {@link studyRun}. */
export function studyNeeds(arms: readonly StudyArm[] = STUDY, run = "study"): Need[] {
  const need = (id: string, kind: string) => ({ id, run: kind, folder: `/runs/${run}/${id}` });
  const each = (kind: string, name: (arm: StudyArm) => string) => arms.map((arm) => need(name(arm), kind));
  return [
    need("text", "prepare"),
    ...each("train", armId),
    ...each("eval", (arm) => `eval-${suffixOf(arm)}`),
    ...each("decode", (arm) => `decode-${suffixOf(arm)}`),
  ];
}

/** Files of a run folder: train, eval and decode stages of these arms. */
export function studyRun(arms: readonly StudyArm[] = STUDY, run = "study"): Files {
  const files: Files = new Map();
  const needs = studyNeeds(arms, run);
  const template = completeRun();
  const stages = [...needs.map(({ id, run }) => ({ id, run })), { id: "report", run: "report" }];
  const put = (path: string, value: unknown) => files.set(`/runs/${run}/${path}`, JSON.stringify(value));
  const get = (path: string) => JSON.parse(template.get(`/runs/quickstart/${path}`)!);
  put("pipeline.json", { versions: { foretoken: "0.1.0", deno: "2.9.6" }, config: { stages } });
  put("text/stage.json", { id: "text", run: "prepare", ...get("text/stage.json") });
  for (const name of ["meta.json", "statistics.json"]) put(`text/${name}`, get(`text/${name}`));
  for (const arm of arms) {
    const id = armId(arm);
    const like = arm.curriculum === "ntp" ? "ntp" : "forward";
    const config = { ...get(`${like}/stage.json`).config, id, curriculum: arm.curriculum, seed: arm.seed };
    const { command } = get(`${like}/stage.json`);
    if (arm.variant !== undefined) config.model.width += arm.variant;
    put(`${id}/stage.json`, { id, run: "train", config, command, fingerprint: "f" });
    const training = get(`${like}/train.json`);
    put(`${id}/train.json`, {
      ...training,
      curriculum: { ...training.curriculum, name: arm.curriculum },
      seconds: 60 + arm.seed,
    });
    files.set(`/runs/${run}/${id}/metrics.jsonl`, template.get(`/runs/quickstart/${like}/metrics.jsonl`)!);
    const suffix = suffixOf(arm);
    for (const kind of ["eval", "decode"]) {
      const stage = get(`${kind}/stage.json`);
      const about = { id: `${kind}-${suffix}`, needs: ["text", id], each: "arm" };
      put(`${kind}-${suffix}/stage.json`, {
        id: about.id,
        run: kind,
        config: { ...stage.config, ...about, seed: 1337 },
        command: stage.command,
        fingerprint: "f",
      });
      const results = get(`${kind}/${kind}.json`);
      const one = results.arms.find((arm: { id: string }) => arm.id === like);
      const bits = kind === "eval" ? { bits_per_byte: bitsOf(arm) } : {};
      put(`${kind}-${suffix}/${kind}.json`, {
        ...results,
        arms: [{ ...one, id, curriculum: arm.curriculum, ...bits }],
      });
    }
    for (const stage of [id, `eval-${suffix}`, `decode-${suffix}`]) {
      put(`${stage}/status.json`, {
        state: "done",
        fingerprint: "f",
        started: "2026-11-27T00:00:00Z",
        seconds: 10 + arm.seed,
      });
    }
  }
  return files;
}

/** Changes one JSON file of the study in place. */
// deno-lint-ignore no-explicit-any
export function changeStudy(files: Files, path: string, edit: (value: any) => void, run = "study"): void {
  const whole = `/runs/${run}/${path}`;
  const value = JSON.parse(files.get(whole)!);
  edit(value);
  files.set(whole, JSON.stringify(value));
}
