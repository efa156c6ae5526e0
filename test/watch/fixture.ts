/** A run folder with made-up numbers: prepared text, one arm that has ended, one that trains, a report that waits. */
import { join } from "node:path";

type Json = Record<string, unknown>;

const STEPS = 400;

/** Makes the run `<folder>/demo`; returns its folder. The arm `forward` has come to this step. */
export function makeRun(folder: string, step: number): string {
  const run = join(folder, "demo");
  const train = { train: { steps: STEPS }, model: { heads: { count: 3 } } };
  const stages = [
    { id: "text", run: "prepare" },
    { id: "ntp", run: "train", train: { steps: STEPS }, model: { heads: { count: 1 } }, curriculum: "ntp" },
    { id: "forward", run: "train", ...train, curriculum: "forward" },
    { id: "report", run: "report" },
  ];
  putJson(join(run, "pipeline.json"), { config: { stages } });
  putStage(run, "text", "done");
  putStage(run, "ntp", "done");
  putStage(run, "forward", "running");
  for (let at = 10; at <= STEPS; at += 10) addStep(run, "ntp", 1, at);
  for (let at = 10; at <= step; at += 10) addStep(run, "forward", 3, at);
  return run;
}

export function putStage(run: string, id: string, state: string, error?: string): void {
  putJson(join(run, id, "stage.json"), { fingerprint: "f" });
  const status = { state, fingerprint: "f", started: "2026-01-01T00:00:00.000Z", seconds: 12 };
  putJson(join(run, id, "status.json"), error === undefined ? status : { ...status, error });
}

/** Adds the line of a step, with a validation each hundred steps. */
export function addStep(run: string, id: string, K: number, step: number): void {
  const awake = Math.min(K, Math.floor(step * K / STEPS) + 1);
  const loss = (head: number) =>
    1.5 + head / 2 + 4 * Math.exp(-step / 60) + 0.05 * Math.sin(step * (head + 1));
  addLine(run, id, {
    kind: "step",
    step,
    tokens: step * 2048,
    heads: Array.from({ length: K }, (_, i) => i < awake ? loss(i) : null),
    weights: Array.from({ length: K }, (_, i) => i < awake ? 1 : 0),
    lr: 3e-3,
    grad_norm: 0.7,
    tokens_per_s: 12_000 + 500 * Math.cos(step) - 1500 * awake,
    mfu: 0.41,
    memory_bytes: 3.2e8,
  });
  if (step % 100 !== 0) return;
  addLine(run, id, {
    kind: "validation",
    step,
    bits_per_byte: 1.8 + 3 * Math.exp(-step / 60),
    expected_tokens_per_forward: 1 + 0.2 * (awake - 1),
  });
}

export function addLine(run: string, id: string, line: Json | string): void {
  const text = typeof line === "string" ? line : `${JSON.stringify(line)}\n`;
  Deno.writeTextFileSync(join(run, id, "metrics.jsonl"), text, { append: true });
}

function putJson(path: string, value: Json): void {
  Deno.mkdirSync(join(path, ".."), { recursive: true });
  Deno.writeTextFileSync(path, JSON.stringify(value));
}
