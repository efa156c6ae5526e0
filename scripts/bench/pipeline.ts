/**
 * `deno task bench pipeline`: the whole time of two commands, as a user types them. `pipeline full --dry-run`, and a pipeline
 * of 100 stages in which nothing has changed: its folders hold results as large as real ones, which are checked by their
 * hashes. Aims: under 0.5 s, under 2 s.
 */
import { join } from "node:path";
import { parsePipeline } from "../../src/config/load.ts";
import { planPipeline, stageFileOf } from "../../src/pipeline/plan.ts";
import { sealsOf } from "../../src/pipeline/seals.ts";
import { writeStageFile, writeStatus } from "../../src/pipeline/stage_files.ts";
import { UserError } from "../../src/stage/errors.ts";
import { CLEARED } from "./child.ts";
import { median, print, printTable } from "./table.ts";

const NAME = "bench-pipeline";
const FILE = `native/build/bench/${NAME}.yaml`;
/** 1 text, 33 arms, an eval and a decode of each: 100 stages. */
const PIPELINE = `name: ${NAME}
stages:
  - { id: text, run: prepare, input: stories, bytes: 2e4 }
  - id: arm
    run: train
    needs: [text]
    matrix: { curriculum: [ntp, mtp, forward], seed: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] }
    model: { preset: 1m, context: 256 }
    train: { steps: 4 }
  - { id: eval, run: eval, each: arm, needs: [text] }
  - { id: decode, run: decode, each: arm, needs: [text] }
`;
/** Bytes of what such stages leave in a study of some minutes an arm. */
const LEFT: Record<string, readonly [file: string, bytes: number]> = {
  prepare: ["meta.json", 5e3],
  train: ["metrics.jsonl", 5e5],
  eval: ["eval.json", 1e5],
  decode: ["decode.json", 1e5],
};
const REPEATS = 9;

export async function run(): Promise<void> {
  Deno.mkdirSync("native/build/bench", { recursive: true });
  Deno.writeTextFileSync(FILE, PIPELINE);
  const folder = join(Deno.cwd(), "runs", NAME);
  const number = leaveResults(folder);
  try {
    const dry = await repeat("pipeline", "full", "--dry-run");
    const unchanged = await repeat("pipeline", FILE);
    printTable(["seconds, whole process", `median of ${REPEATS}`, "slowest"], [
      ["foretoken pipeline full --dry-run", ...summary(dry)],
      [`foretoken pipeline, ${number} stages, nothing changed`, ...summary(unchanged)],
    ]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
  print();
}

const summary = (seconds: readonly number[]): string[] =>
  [median(seconds), Math.max(...seconds)].map((value) => value.toFixed(2));

/** Folders as if every stage had run to its end; their number. */
function leaveResults(run: string): number {
  const plan = () => planPipeline(parsePipeline(PIPELINE, FILE, Deno.cwd()), run);
  const number = plan().length;
  for (let i = 0; i < number; i++) {
    const stage = plan()[i]!; // anew: its needs are done by now
    const { folder, config } = stage;
    const [file, bytes] = LEFT[config.run]!;
    Deno.mkdirSync(folder, { recursive: true });
    Deno.writeFileSync(join(folder, file), new Uint8Array(bytes).fill(32));
    const { fingerprint } = stageFileOf(stage, { file: FILE, set: [] });
    writeStageFile(folder, stageFileOf(stage, { file: FILE, set: [] }));
    const started = new Date(i).toISOString();
    const results = sealsOf(folder, config.run);
    writeStatus(folder, { state: "done", fingerprint, started, seconds: 1, results });
  }
  return number;
}

async function repeat(...args: string[]): Promise<number[]> {
  const seconds: number[] = [];
  for (let i = 0; i <= REPEATS; i++) {
    const began = performance.now();
    await foretoken(args);
    if (i > 0) seconds.push((performance.now() - began) / 1000); // the first one warms the caches up
  }
  return seconds;
}

/** The command line with its task's own flags. */
async function foretoken(args: readonly string[]): Promise<void> {
  const [, ...flags] = JSON.parse(Deno.readTextFileSync("deno.json")).tasks.foretoken.command.split(" ");
  const command = new Deno.Command(Deno.execPath(), { args: [...flags, ...args], env: CLEARED });
  const { success, stderr } = await command.output();
  if (!success) throw new UserError(`${args.join(" ")} failed:\n${new TextDecoder().decode(stderr)}`);
}
