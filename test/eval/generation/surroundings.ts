/** What the tests of servers need: settings, surroundings without long pauses, and a log to look at. */
import { join } from "node:path";
import * as z from "zod";
import { parsePipeline } from "../../../src/config/load.ts";
import type { EvalConfig, GenerationConfig, JudgeConfig } from "../../../src/config/schema.ts";
import { Answers } from "../../../src/eval/generation/answers.ts";
import { Server } from "../../../src/eval/generation/server.ts";
import { withFiles } from "../../support.ts";
import { type Answering, FakeServer } from "./fake_server.ts";

/** `generation` of a pipeline file, with its defaults. */
export function generationOf(generation: string): GenerationConfig {
  const text = `name: x
stages:
  - { id: text, run: prepare, input: stories, bytes: 2e4 }
  - { id: arm, run: train, needs: [text], model: { preset: 1m, context: 256 }, train: { steps: 1 } }
  - { id: scores, run: eval, needs: [text, arm], generation: ${generation} }
`;
  const stage = parsePipeline(text, "x.yaml", "/base").stages.at(-1) as EvalConfig;
  return stage.generation!;
}

/** The settings of a judge at an endpoint. */
export function judgeAt(endpoint: string, more = ""): JudgeConfig {
  const attempts = more.includes("attempts") ? "" : "attempts: 3,";
  return generationOf(`{ judge: { endpoint: '${endpoint}', model: m, ${attempts} ${more} } }`).judge!;
}

/** A test's server on both sides. */
export interface Talk {
  readonly fake: FakeServer;
  readonly lines: string[];
  readonly io: { stop: AbortSignal; log(line: string): void; progress(): void };
  readonly stop: AbortSignal;
  /** The side that asks. `more`: further settings, as in YAML. */
  server(more?: string, key?: string): Server;
}

const mayListen = Deno.permissions.querySync({ name: "net", host: "127.0.0.1" }).state === "granted";

/** A test with a server that answers so; ignored where nothing may listen. */
export function withServer(name: string, answer: Answering, body: (talk: Talk) => Promise<void>): void {
  if (!mayListen) return Deno.test({ name, ignore: true, fn: () => {} });
  withFiles(name, async (folder) => {
    await using fake = new FakeServer(answer);
    using answers = new Answers(join(folder, "answers.jsonl"));
    const lines: string[] = [];
    const log = (line: string) => void lines.push(line);
    const { signal: stop } = new AbortController();
    await body({
      fake,
      lines,
      stop,
      io: { stop, log, progress: () => {} },
      server: (more = "", key) =>
        new Server(judgeAt(fake.endpoint, more), {
          key,
          answers,
          pauses: { pause: 5, longestPause: 20 },
          log,
        }),
    });
  });
}

/** Any JSON. */
export const anything = z.unknown();
