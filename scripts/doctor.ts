/** `deno task doctor`: what was found on this machine, which paths are fast or slow, and why. Changes nothing. */
import type { StageConfig } from "../src/config/schema.ts";
import { type KindWords, permissionTable } from "../src/pipeline/permission_table.ts";
import { environmentFor } from "../src/pipeline/start.ts";
import { EXIT } from "../src/stage/errors.ts";
import { start, versions } from "../src/torch/mod.ts";
import { current, read } from "./setup/record.ts";

/** `slow` still works; `broken` does not. */
type Verdict = "ok" | "slow" | "note" | "broken";

/** One line of the answer. */
interface Finding {
  readonly subject: string;
  readonly verdict: Verdict;
  readonly text: string;
}

const native = Deno.realPathSync(`${import.meta.dirname}/../native`);
const build = `${native}/build`;
const env = (name: string) => Deno.env.get(name);

async function findings(): Promise<Finding[]> {
  return [deno(), ...await setup(), ...compute(), ...openmp(), sandbox(), memory()];
}

function deno(): Finding {
  const { deno, v8, typescript } = Deno.version;
  return { subject: "deno", verdict: "ok", text: `${deno} (V8 ${v8}, TypeScript ${typescript})` };
}

async function setup(): Promise<Finding[]> {
  const subject = "set-up";
  const last = read(build);
  if (!last) return [{ subject, verdict: "broken", text: "never came to its end: run `deno task setup`" }];
  const fresh = await current({ native, build, env });
  const { version, foundBy, folder } = last.libtorch;
  return [
    fresh
      ? { subject, verdict: "ok", text: "done, nothing changed since" }
      : { subject, verdict: "note", text: "something changed since: the next task sets up again" },
    { subject: "libtorch", verdict: "ok", text: `${version}, ${foundBy}: ${folder}` },
  ];
}

function compute(): Finding[] {
  try {
    const machine = start({ device: "auto", threads: "auto" });
    const { built, running, rows } = versions();
    const cores = navigator.hardwareConcurrency;
    const few = machine.threads < cores;
    return [
      { subject: "shim", verdict: "ok", text: `built for libtorch ${built}, runs with ${running}` },
      {
        subject: "device",
        verdict: machine.device === "cpu" ? "note" : "ok",
        text: `${machine.device} (${machine.reason})`,
      },
      {
        subject: "threads",
        verdict: few ? "slow" : "ok",
        text: `${machine.threads} of ${cores} processors`,
      },
      rows === "portable"
        ? {
          subject: "row kernels",
          verdict: "slow",
          text: "portable: this processor has no AVX2 with FMA, so decoding and norms take longer",
        }
        : { subject: "row kernels", verdict: "ok", text: rows },
    ];
  } catch (error) {
    const message = (error as Error).message;
    // Without set-up there is nothing to load: which files are missing says no more.
    return [{ subject: "shim", verdict: "broken", text: read(build) ? message : message.split("\n")[0]! }];
  }
}

/** The waiting of OpenMP's threads, as stages that compute get it. */
function openmp(): Finding[] {
  const config = { run: "train", threads: "auto" } as StageConfig;
  const seen = Object.entries(environmentFor(config, Deno.env.toObject()))
    .filter(([name]) => /^(OMP|GOMP|MKL)_/.test(name)).map(([name, value]) => `${name}=${value}`);
  const active = seen.some((setting) => /OMP_WAIT_POLICY=active/i.test(setting));
  return [{
    subject: "OpenMP",
    verdict: active ? "slow" : "ok",
    text: `${seen.join(" ") || "as libgomp has it"}${
      active ? ": threads that spin slow a busy machine 10 to 50 times" : ""
    }`,
  }];
}

function sandbox(): Finding {
  const subject = "sandbox";
  try {
    const { success, stdout } = new Deno.Command(`${build}/launch`, { args: ["--check"], clearEnv: true })
      .outputSync();
    const said = new TextDecoder().decode(stdout).trim();
    return success
      ? { subject, verdict: "ok", text: `${said}: stages are bound to their own files, native code too` }
      : {
        subject,
        verdict: "note",
        text:
          `${said}: only Deno's permissions bind the stages, and not native code (\`sandbox: required\` in a file refuses)`,
      };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { subject, verdict: "broken", text: "no launcher: run `deno task setup`" };
  }
}

function memory(): Finding {
  const { total, available } = Deno.systemMemoryInfo();
  const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
  return {
    subject: "memory",
    verdict: available < 2e9 ? "slow" : "ok",
    text: `${gigabytes(available)} GB free of ${gigabytes(total)}`,
  };
}

/** What each kind of process may touch, column under column. */
function permissions(): string[] {
  const header: KindWords = {
    kind: "stage",
    reads: "reads",
    writes: "writes",
    native: "native code",
    gpu: "GPU",
    network: "network",
  };
  const rows = [header, ...permissionTable()].map((row) => Object.values(row) as string[]);
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i]!)).join("  ").trimEnd());
}

if (import.meta.main) {
  const found = await findings();
  const lines = found.map(({ subject, verdict, text }) =>
    `${verdict.padEnd(7)} ${subject.padEnd(12)} ${text}\n`
  );
  const table = [
    "",
    "What each stage may touch; `foretoken plan FILE\` says it of a pipeline's own stages.",
    ...permissions(),
  ];
  Deno.stdout.writeSync(new TextEncoder().encode([...lines, ...table.map((line) => `${line}\n`)].join("")));
  Deno.exit(found.some(({ verdict }) => verdict === "broken") ? EXIT.failed : EXIT.done);
}
