/** Starting python3 and cmake: what they print, how they end, and what is said when they are not there. */
import { UserError } from "../../src/stage/errors.ts";

/** The packages of Debian and Ubuntu that hold what set-up starts. */
const PACKAGES: { [program: string]: string } = { python3: "python3 python3-pip", cmake: "cmake make g++" };

/** How a program ended, and everything that it printed, both streams together. */
export interface Ended {
  readonly ok: boolean;
  readonly output: string;
}

/** Starts a program and waits for its end; throws {@link UserError} where there is none of that name. */
export type RunProgram = (
  program: string,
  args: readonly string[],
  env?: Readonly<Record<string, string>>,
) => Promise<Ended>;

/** {@link RunProgram} with real processes, which end when this one is told to. */
export const runProgram: RunProgram = async (program, args, env = {}) => {
  const child = start(program, args, env);
  let stopped = false;
  const end = () => {
    stopped = true;
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended: Ctrl-C reaches the whole group of processes.
    }
  };
  for (const signal of ENDING) Deno.addSignalListener(signal, end);
  try {
    const printed: string[] = [];
    const [status] = await Promise.all([
      child.status,
      collect(child.stdout, printed),
      collect(child.stderr, printed),
    ]);
    if (stopped) throw new UserError(`Stopped while ${program} ran: the same command begins that part again`);
    return { ok: status.success, output: printed.join("") };
  } finally {
    for (const signal of ENDING) Deno.removeSignalListener(signal, end);
  }
};

const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function start(program: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  const libraries = Deno.env.get("LD_LIBRARY_PATH");
  // Deno starts nothing under LD_LIBRARY_PATH, on which a cluster's python3 and g++ may depend: cmake sets it again.
  const restore = libraries ? ["-E", "env", `LD_LIBRARY_PATH=${libraries}`, program] : [];
  const cleared = { LD_LIBRARY_PATH: "", LD_PRELOAD: "" };
  try {
    return new Deno.Command(libraries ? "cmake" : program, {
      args: [...restore, ...args],
      env: { ...env, ...cleared },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UserError(
      `Cannot find ${program}: install it (Debian, Ubuntu: apt install ${PACKAGES[program]})`,
      {
        cause: error,
      },
    );
  }
}

async function collect(stream: ReadableStream<Uint8Array>, into: string[]): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) into.push(text);
}

/** The last `count` lines of a program's output that are not empty, indented, for the end of an error. */
export function lastLines(output: string, count: number): string {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  return lines.slice(-count).map((line) => `  ${line}`).join("\n");
}
