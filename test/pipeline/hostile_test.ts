/**
 * A hostile stage gets nothing done outside its lists: not from TypeScript, not from native code, not from any thread. The
 * same attempts, made by the same program that nothing holds, succeed.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { oneOfEachKind, smallPipeline } from "./fixture.ts";
import type { Order } from "./hostile/attempts.ts";
import { hostile, LIBRARY } from "./hostile/stage.ts";
import { landlock, withLandlock } from "./launcher.ts";

/** The stage that computes, and native code's numbers for what is refused it. */
const ARM = smallPipeline().stages.find(({ run }) => run === "train")!;
const [EPERM, EACCES] = ["1", "13"];
/** What a system may lack by itself, without any sandbox. */
const MAY_LACK = ["tcp6", "netlink", "io_uring"];

/** Beside the run's folder: things of others, in the form of an order. */
type Outside = Omit<Order, "lock">;

/** A secret in a folder, the results of another arm, the files of the system and, for the bound, of this program. */
async function outside(folder: string, port: number, places: "made for this" | "real"): Promise<Outside> {
  const [secrets, other] = [join(folder, "secrets"), join(folder, "run/other")];
  for (const path of [secrets, other]) Deno.mkdirSync(path, { recursive: true });
  Deno.writeTextFileSync(join(secrets, "key.ts"), "export const key = 1;");
  Deno.writeTextFileSync(join(other, "model.safetensors"), "text");
  const made = {
    files: { "a secret": join(secrets, "key.ts") },
    folders: { "a folder of secrets": secrets },
    written: { "beside the secret": join(secrets, "new"), "to another arm": join(other, "new") },
    port,
    process: Deno.pid,
  };
  if (places === "made for this") return made;
  const { home, modules } = await surroundings();
  const project = Deno.cwd();
  const into = { home, modules, project, src: `${project}/src`, node_modules: `${project}/node_modules` };
  return {
    ...made,
    files: {
      ...made.files,
      "another arm": join(other, "model.safetensors"),
      "the system's users": "/etc/passwd",
    },
    folders: { ...made.folders, "the home folder": home, "the module cache": modules, "the root": "/" },
    written: {
      ...made.written,
      ...Object.fromEntries(
        Object.entries({ ...into, build: `${project}/native/build`, run: join(folder, "run"), tmp: "/tmp" })
          .map(([name, path]) => [`to ${name}`, `${path}/.hostile-${Deno.pid}`]),
      ),
    },
  };
}

/** The user's folder and Deno's module cache: the tests' own environment does not say. */
async function surroundings(): Promise<{ home: string; modules: string }> {
  const deno = async (...args: string[]) => {
    const { stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "null" }).output();
    return new TextDecoder().decode(stdout).trim();
  };
  const home = await deno("eval", "console.log(require('node:os').homedir())");
  const { denoDir } = JSON.parse(await deno("info", "--json")) as { denoDir: string };
  return { home, modules: denoDir };
}

/** Somebody who answers. */
async function withServer(body: (port: number) => Promise<void>): Promise<void> {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("hello"),
  );
  await body(server.addr.port);
}

const mayListen = Deno.permissions.querySync({ name: "net", host: "127.0.0.1" }).state === "granted";

function withHostile(name: string, body: (folder: string, port: number) => Promise<void>): void {
  if (mayListen) withLandlock(name, (folder) => withServer((port) => body(folder, port)));
  else Deno.test({ name, ignore: true, fn: () => {} });
}

/** What native code's attempt has to end in. */
function expected(attempt: string): string {
  if (attempt === "kill") return landlock < 6 ? "done" : EPERM;
  return /^(read|list|make|write|move) /.test(attempt) ? EACCES : EPERM;
}

/** What TypeScript's attempt has to end in: Deno's refusal, which is a TypeError where a module was to be loaded. */
function refused(attempt: string): string[] {
  if (attempt.startsWith("import ")) return ["NotCapable", "TypeError"];
  if (attempt === "start a program through node") return ["NotCapable", "Error"];
  return attempt === "read the environment" ? ["NotCapable", "NotFound"] : ["NotCapable"]; // it looks empty
}

/** What an attempt has to end in that only the system refuses. */
function bySystem(attempt: string, where: string): string[] {
  if (where.startsWith("native")) return [expected(attempt)];
  // Both are native code's to do by itself, and lead nowhere.
  if (["load the C library", "read the environment"].includes(attempt)) return ["done"];
  if (attempt === "signal" && landlock < 6) return ["done"];
  return ["PermissionDenied", "TypeError", "Error"];
}

/** One line for each attempt that ended otherwise than it has to. */
function wrong(
  outcomes: Awaited<ReturnType<typeof hostile>>,
  has: (attempt: string, where: string) => string[],
) {
  return Object.entries(outcomes).flatMap(([where, ended]) =>
    Object.entries(ended)
      .filter(([attempt, ending]) => !has(attempt, where).includes(ending))
      .map(([attempt, ending]) => `${where}: ${attempt}: ${ending}, not ${has(attempt, where).join(" or ")}`)
  );
}

const THREADS = [
  "TypeScript",
  "TypeScript, a worker",
  "native",
  "native, a new thread",
  "native, a thread from before",
  "native, a worker",
  "native, nonblocking",
];

withHostile("what a hostile stage tries succeeds where nothing holds it", async (folder, port) => {
  const order = { ...await outside(folder, port, "made for this"), library: LIBRARY };
  const outcomes = await hostile(ARM, join(folder, "run"), order, "by nothing");
  assert.deepEqual(Object.keys(outcomes).sort(), THREADS);
  const lines = wrong(
    outcomes,
    (attempt) => MAY_LACK.includes(attempt) ? ["done", "1", "38", "97", "99"] : ["done"],
  );
  assert.deepEqual(lines, []);
  assert(Object.values(outcomes).every((ended) => Object.keys(ended).length > 15));
});

withHostile(
  "a hostile stage gets nothing done, from TypeScript or native code in any thread",
  async (folder, port) => {
    const order = { ...await outside(folder, port, "real"), library: LIBRARY };
    const outcomes = await hostile(ARM, join(folder, "run"), order, "as a stage");
    assert.deepEqual(Object.keys(outcomes).sort(), THREADS);
    const lines = wrong(
      outcomes,
      (attempt, where) => where.startsWith("native") ? [expected(attempt)] : refused(attempt),
    );
    assert.deepEqual(lines, []);
    for (const path of Object.values(order.written)) {
      assert.throws(() => Deno.lstatSync(path), Deno.errors.NotFound, path);
    }
  },
);

withHostile(
  "where Deno's own permissions are lost, the system still holds TypeScript",
  async (folder, port) => {
    const order = { ...await outside(folder, port, "real"), library: LIBRARY };
    const outcomes = await hostile(ARM, join(folder, "run"), order, "by the system alone");
    const lines = wrong(outcomes, bySystem);
    assert.deepEqual(lines, []);
  },
);

withHostile(
  "a hostile stage of any kind gets nothing done from TypeScript, nor loads native code",
  async (folder, port) => {
    await withServer(async (endpoint) => {
      for (const config of oneOfEachKind(endpoint)) {
        const order = await outside(folder, port, "real");
        const outcomes = await hostile(config, join(folder, "run"), order, "as a stage");
        const lines = wrong(outcomes, refused);
        assert.deepEqual(lines, [], config.run);
      }
    });
  },
);

withHostile(
  "native code of a stage that loads the text library alone is held like all other",
  async (folder, port) => {
    const config = oneOfEachKind(port).find(({ id }) => id === "words")!;
    const library = join(folder, "run", config.id, "own.so"); // as if it had written it
    Deno.mkdirSync(join(folder, "run", config.id), { recursive: true });
    Deno.copyFileSync(LIBRARY, library);
    const order = { ...await outside(folder, port, "real"), library };
    await assert.rejects(hostile(config, join(folder, "run"), order, "as a stage"), /NotCapable/);
    const held = "by the system alone"; // from here on Deno has loaded it
    assert.deepEqual(wrong(await hostile(config, join(folder, "run"), order, held), bySystem), []);
  },
);
