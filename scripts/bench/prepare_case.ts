/** Prepares one file, for prepare.ts, and prints what it took as JSON. */
import { parsePipeline } from "../../src/config/load.ts";
import { run } from "../../src/data/prepare.ts";
import { openShardSet, SPLITS } from "../../src/data/shards.ts";
import { peakMemory } from "../../src/text/native.ts";
import { print } from "./table.ts";

/** What preparing took. */
export interface Measured {
  /** Of text. */
  readonly bytes: number;
  readonly documents: number;
  readonly seconds: number;
  /** Bytes that the process had at most. */
  readonly peak: number;
}

const [path, folder] = Deno.args as [string, string];
const stage = { id: "text", run: "prepare", input: [path], document: "blank_line" };
const config = parsePipeline(JSON.stringify({ name: "bench", stages: [stage] }), "bench", "/").stages[0]!;
if (config.run !== "prepare") throw new TypeError("not a prepare stage");
const started = performance.now();
await run(config, {
  id: "text",
  folder,
  needs: [],
  interactive: false,
  stop: new AbortController().signal,
  log: () => {},
  progress: () => {},
});
const seconds = (performance.now() - started) / 1e3;
const { splits } = openShardSet(folder).meta;
const sum = (key: "bytes" | "documents") =>
  SPLITS.reduce((total, split) => total + (splits[split]?.[key] ?? 0), 0);
const measured: Measured = { bytes: sum("bytes"), documents: sum("documents"), seconds, peak: peakMemory() };
print(JSON.stringify(measured));
