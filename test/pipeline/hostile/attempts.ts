/**
 * What a hostile stage tries, from TypeScript and from native code; says of each how it ended. Without imports: the stage
 * has a copy in its own folder, which its worker reads too.
 */

/** What to try, and on what; from order.json in the stage's folder. */
export interface Order {
  /** Whether the process is to lock itself as a stage does. */
  readonly lock: boolean;
  /** The test's native library; undefined where it is not to be loaded. */
  readonly library?: string;
  /** Files and folders that exist outside. */
  readonly files: Readonly<Record<string, string>>;
  readonly folders: Readonly<Record<string, string>>;
  /** Files that do not exist, outside. */
  readonly written: Readonly<Record<string, string>>;
  /** A port of 127.0.0.1 where somebody answers. */
  readonly port: number;
  /** A process outside. */
  readonly process: number;
}

/** By the attempt's name: `done`, or the error's name (TypeScript) or number (native code). */
export type Outcome = Readonly<Record<string, string>>;

type Act = () => unknown;

/** Every attempt that TypeScript has. `folder`: the stage's own. */
function* attempts(order: Order, folder: string): Generator<[name: string, act: Act]> {
  for (const [what, path] of Object.entries(order.files)) {
    yield [`read ${what}`, () => Deno.readTextFileSync(path)];
    yield [`read ${what}, asynchronously`, () => Deno.readTextFile(path)];
    yield [`import ${what}`, () => import(`file://${path}`)];
    yield [`read ${what} through node`, async () => (await import("node:fs")).readFileSync(path)];
    yield [`copy ${what}`, () => Deno.copyFileSync(path, `${folder}/copied`)];
  }
  for (const [what, path] of Object.entries(order.folders)) {
    yield [`list ${what}`, () => [...Deno.readDirSync(path)]];
  }
  for (const [what, path] of Object.entries(order.written)) {
    yield [`write ${what}`, () => {
      Deno.writeTextFileSync(path, "x");
      Deno.removeSync(path);
    }];
  }
  const other = { hostname: "127.0.0.1", port: order.port };
  const unix = { transport: "unix", path: `${folder}/socket` } as const;
  yield ["connect", async () => (await Deno.connect(other)).close()];
  yield ["fetch", async () => await (await fetch(`http://127.0.0.1:${order.port}`)).text()];
  yield ["listen", () => Deno.listen({ ...other, port: 0 }).close()];
  yield ["unix", async () => {
    using _server = Deno.listen(unix);
    (await Deno.connect(unix)).close();
    Deno.removeSync(unix.path);
  }];
  yield ["start a program", () => new Deno.Command("/bin/true").outputSync()];
  yield ["start a program through node", async () => {
    const { error, status } = (await import("node:child_process")).spawnSync("/bin/true");
    if (status !== 0) throw error ?? new Error("not started");
  }];
  yield ["signal", () => Deno.kill(order.process, "SIGCONT")];
  yield ["load the C library", () => Deno.dlopen("libc.so.6", {}).close()];
  yield ["read the environment", () => {
    if (Deno.env.get("DENO_DIR") === undefined) throw new Deno.errors.NotFound();
  }];
}

/** The name of the error that an attempt ends in. */
async function ending(act: Act): Promise<string> {
  try {
    await act();
    return "done";
  } catch (error) {
    return (error as Error).name;
  }
}

/** Everything that TypeScript tries in this thread. */
export async function fromTypeScript(order: Order, folder: string): Promise<Outcome> {
  const ended: Record<string, string> = {};
  for (const [name, act] of attempts(order, folder)) ended[name] = await ending(act);
  return ended;
}

const ATTEMPT = { parameters: ["buffer", "buffer"], result: "i32" } as const;
const SYMBOLS = {
  hostile_start_thread: { parameters: [], result: "i32" },
  hostile_attempt: ATTEMPT,
  nonblocking: { ...ATTEMPT, name: "hostile_attempt", nonblocking: true },
  hostile_attempt_in_new_thread: ATTEMPT,
  hostile_attempt_in_old_thread: ATTEMPT,
} as const;

/** native/hostile.c. */
export const loadLibrary = (path: string) => Deno.dlopen(path, SYMBOLS).symbols;

/** A function of the library that makes an attempt. */
export type Attempt = (
  name: Uint8Array<ArrayBuffer>,
  argument: Uint8Array<ArrayBuffer>,
) => number | Promise<number>;

const cString = (text: string) => new TextEncoder().encode(`${text}\0`);

/** Everything that native code tries where `attempt` makes it run. */
export async function fromNative(attempt: Attempt, order: Order): Promise<Outcome> {
  type Try = [label: string, name: string, argument: string];
  const tries: Try[] = [
    ...Object.entries(order.files).flatMap(([what, path]): Try[] => [
      [`read ${what}`, "read", path],
      [`move ${what}`, "move", path],
    ]),
    ...Object.entries(order.folders).map(([what, path]): Try => [`list ${what}`, "list", path]),
    ...Object.entries(order.written).flatMap(([what, path]): Try[] => [
      [`make ${what}`, "mkdir", `${path}-folder`],
      [`write ${what}`, "write", path],
    ]),
    ...[
      ...["tcp", "tcp6", "udp", "unix", "unix datagram", "netlink", "io_uring"],
      ...["fork and exec", "posix_spawn", "exec of memory", "ptrace", "process_vm_readv"],
    ].map((name): Try => [name, name, ""]),
    ["kill", "kill", String(order.process)],
  ];
  const ended: Record<string, string> = {};
  for (const [label, name, argument] of tries) {
    const error = await attempt(cString(name), cString(argument));
    ended[label] = error === 0 ? "done" : String(error);
  }
  return ended;
}
