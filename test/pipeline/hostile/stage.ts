/** Starts a hostile stage exactly as a stage is started, but for the file of its program; or unbound, for comparison. */

import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import type { StageConfig } from "../../../src/config/schema.ts";
import { accessOf, denoFlags, type Places } from "../../../src/pipeline/permissions.ts";
import { boundArguments, environmentFor, findPlaces } from "../../../src/pipeline/start.ts";
import { launch } from "../launcher.ts";
import type { Order, Outcome } from "./attempts.ts";

const HERE = import.meta.dirname!;
const PROJECT = dirname(dirname(dirname(HERE)));
/** The test-only library. */
export const LIBRARY = join(PROJECT, "native/build/test/libhostile.so");

/** What holds the stage: all that holds a stage; the launcher and the lock alone; nothing. */
export type Held = "as a stage" | "by the system alone" | "by nothing";

/** All that Deno can give. */
const EVERYTHING = ["read", "write", "net", "run", "ffi", "env", "sys", "import"].map((what) =>
  `--allow-${what}`
);

/** How each attempt of a stage ended, by where it was made. */
export async function hostile(
  config: StageConfig,
  run: string,
  order: Omit<Order, "lock">,
  held: Held,
): Promise<Readonly<Record<string, Outcome>>> {
  const places = findPlaces(run);
  const folder = join(run, config.id);
  Deno.mkdirSync(folder, { recursive: true });
  const put = (name: string, text: string) => Deno.writeTextFileSync(join(folder, name), text);
  put("order.json", JSON.stringify({ ...order, lock: held !== "by nothing" } satisfies Order));
  put("config.json", JSON.stringify(config));
  const source = (name: string) => Deno.readTextFileSync(join(HERE, name));
  for (const name of ["attempts.ts", "worker.ts"]) put(name, source(name));
  put("program.ts", source("program.ts").replaceAll("../../../src/", `file://${PROJECT}/src/`));
  const ended = await start(config, places, [join(folder, "program.ts"), run, config.id], held);
  assert.equal(ended.code, 0, ended.stderr);
  return JSON.parse(Deno.readTextFileSync(join(folder, "outcomes.json")));
}

function start(config: StageConfig, places: Places, program: string[], held: Held) {
  const access = accessOf(config, places);
  const env = environmentFor(config, {});
  const bound = boundArguments(access, places, program);
  if (held === "as a stage") return launch(bound, env);
  const own = denoFlags(access, places);
  const free = [
    ...EVERYTHING,
    ...own.filter((flag) => !flag.startsWith("--allow-") && flag !== "--ignore-env"),
  ];
  const begin = bound.indexOf("run") + 1;
  if (held === "by the system alone") {
    return launch([...bound.slice(0, begin), ...free, ...program], env);
  }
  return unbound(places.deno, ["run", ...free, ...program], env);
}

async function unbound(deno: string, args: string[], env: Record<string, string>) {
  const command = new Deno.Command(deno, { args, env, clearEnv: true, stdin: "null" });
  const { code, stderr } = await command.output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}
