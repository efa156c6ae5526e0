/**
 * Proves that a preparation that is killed again and again, bound as the runner binds it, ends with the bytes of one that
 * was left alone: sources of all formats, one of them damaged, weights, duplicates left out, documents held out by share
 * and by number.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { PrepareConfig } from "../../src/config/schema.ts";
import { sourcesOf } from "../../src/config/schema/prepare.ts";
import { accessOf, denoFlags, launcherOptions } from "../../src/pipeline/permissions.ts";
import { findPlaces } from "../../src/pipeline/start.ts";
import { verifyShards } from "../../src/data/shards.ts";
import { sha256OfFile } from "../../src/formats/atomic.ts";
import { LAUNCHER, withLauncher } from "../pipeline/launcher.ts";
import { encode, parquetOf, words } from "./sources/support.ts";

function makeInputs(folder: string): string {
  const input = join(folder, "in");
  Deno.mkdirSync(input);
  const made = (seed: number) => Array.from(words(4000, seed), (word, i) => `${word} `.repeat(20 + i % 50));
  const write = (name: string, bytes: Uint8Array) => Deno.writeFileSync(join(input, name), bytes);
  const records = zstdCompressSync(encode(made(1).map((text) => JSON.stringify({ text })).join("\n")));
  write("a.jsonl.zst", Uint8Array.of(...records, 1, 2, 3)); // a broken end
  write("b.parquet", parquetOf([...made(2), ...made(1).slice(0, 500)], { rowGroupSize: 700 }));
  write("c.txt.gz", gzipSync(encode(made(3).join("\n\n"))));
  write("d.txt", encode([...made(4), ...made(5), ...made(6)].join("\n\n")));
  return input;
}

function configOf(id: string, input: string): PrepareConfig {
  const source = (name: string, weight: number) => ({
    ...sourcesOf([join(input, name)])[0]!,
    weight,
    document: "blank_line" as const,
  });
  return {
    id,
    run: "prepare",
    needs: [],
    input: [source("a.jsonl.zst", 1), source("b.parquet", 2), source("c.txt.gz", 0.5), source("d.txt", 1.3)],
    bytes: 1,
    document: "file",
    tokenizer: "bytes",
    cleaning: { normalize: "none", min_bytes: 200, deduplicate: true },
    validation: 0.05,
    test: 40,
    on_error: "skip",
    shard_bytes: 150_000,
    seed: 5,
  };
}

/** Starts src/stage.ts on a prepare stage of a run folder, as the runner does, but in silence. */
function startStage(folder: string, config: PrepareConfig): Deno.ChildProcess {
  const own = join(folder, config.id);
  Deno.mkdirSync(own, { recursive: true });
  const stage = { id: config.id, run: "prepare", config, needs: [], version: 1, fingerprint: "" };
  Deno.writeTextFileSync(join(own, "stage.json"), JSON.stringify(stage));
  const places = findPlaces(folder);
  const access = accessOf(config, places);
  const deno = [Deno.execPath(), "run", ...denoFlags(access, places), "src/stage.ts", folder, config.id];
  return new Deno.Command(LAUNCHER, {
    args: [...launcherOptions(access, places), "--", ...deno],
    clearEnv: true,
    env: { DENO_DIR: "/dev/null/deno" },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

const statusOf = (folder: string, id: string) =>
  JSON.parse(Deno.readTextFileSync(join(folder, id, "status.json")));

async function runToItsEnd(folder: string, config: PrepareConfig): Promise<void> {
  const { code } = await startStage(folder, config).status;
  assert.equal(code, 0, JSON.stringify(statusOf(folder, config.id)));
}

/** SHA-256 of every file that belongs to the set. */
const contentsOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
      !/^(status|stage|log|lock)/.test(name)
    )
      .sort().map((name) => [name, sha256OfFile(join(folder, name))]),
  );

/** When progress was saved last, milliseconds; 0 for never. */
function lastSaved(folder: string): number {
  try {
    return Deno.statSync(join(folder, "progress.json")).mtime!.getTime();
  } catch {
    return 0;
  }
}

withLauncher(
  "a preparation that is killed again and again ends with the bytes of one left alone",
  async (folder) => {
    const input = makeInputs(folder);
    await runToItsEnd(folder, configOf("whole", input));
    const whole = join(folder, "whole");
    const { meta } = verifyShards(whole);
    assert.ok(
      meta.splits.train.shards.length > 10 && meta.splits.test!.documents >= 40 &&
        meta.cleaning.duplicate!.documents >= 500,
    );

    assert.deepEqual(meta.sources.map(({ skipped }) => skipped), [1, 0, 0, 0]);

    const killed = join(folder, "killed");
    const config = { ...configOf("whole", input), id: "killed" };
    let kills = 0;
    while (kills < 3) {
      const child = startStage(folder, config);
      const before = lastSaved(killed);
      let ended = false;
      child.status.then(() => ended = true);
      while (!ended && lastSaved(killed) === before) await new Promise((resolve) => setTimeout(resolve, 1));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
      if (!ended) child.kill("SIGKILL");
      const { signal, code } = await child.status;
      if (signal !== "SIGKILL") {
        assert.fail(
          `ended with ${code} after ${kills} kills: make the corpus longer`,
        );
      }
      kills++;
    }
    assert.ok(!contentsOf(killed)["meta.json"]);
    await runToItsEnd(folder, config);
    assert.match(Deno.readTextFileSync(join(killed, "log.txt")), /going on behind/);
    assert.deepEqual(contentsOf(killed), contentsOf(whole));
  },
);
