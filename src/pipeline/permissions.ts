/**
 * What each stage may touch, in one table, and how that is said to Deno (flags, which bind TypeScript) and to
 * the launcher (Landlock, which binds native code too). Nobody gets the network, other programs, or system facts.
 */

import { dirname, join } from "node:path";
import type { StageConfig, StageKind } from "../config/schema.ts";
import { globRoot, isGlob } from "../formats/glob.ts";
import { UserError } from "../stage/errors.ts";

/** Where things lie on this machine; absolute paths. */
export interface Places {
  /** The project: what holds src/ and native/. */
  readonly project: string;
  /** The folder of this pipeline's run. */
  readonly run: string;
  /** The deno program. */
  readonly deno: string;
  /** libtorch's folder, links resolved; undefined before set-up. */
  readonly torch: string | undefined;
}

/** What one stage may touch. */
export interface Access {
  /** Files and folders, with all that is below them. */
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** Whether it loads the native shim. */
  readonly native: boolean;
  /** Whether it may use a GPU's devices. */
  readonly cuda: boolean;
}

/** Kinds that load the shim, and what a kind reads beyond the stages that it needs. */
const TABLE: { [K in StageKind]: Row<Extract<StageConfig, { run: K }>> } = {
  prepare: {
    native: false,
    reads: ({ input, validation }) => [...fixedParts(input), ...fixedParts(validation)],
  },
  train: { native: true, reads: () => [] },
  eval: { native: true, reads: () => [] },
  decode: { native: true, reads: () => [] },
  report: { native: false, reads: (_, { run }) => [join(run, "pipeline.json")] },
};

interface Row<Config> {
  readonly native: boolean;
  reads(config: Config, places: Places): string[];
}

/** Whether stages of this kind load the native shim. */
export function usesNative(kind: StageKind): boolean {
  return TABLE[kind].native;
}

/** What a stage may touch: its own folder, the folders of the stages that it needs, and its row of the table. */
export function accessOf(config: StageConfig, places: Places): Access {
  const row = TABLE[config.run] as Row<StageConfig>;
  const own = join(places.run, config.id);
  return {
    read: [...row.reads(config, places), ...config.needs.map((need) => join(places.run, need)), own],
    write: [own],
    native: row.native,
    cuda: row.native && "device" in config && config.device !== "cpu",
  };
}

/** What has to be readable so that these paths and globs can be. */
function fixedParts(paths: "stories" | number | readonly string[]): string[] {
  if (!Array.isArray(paths)) return [];
  // A path that exists may have a glob's characters in its name: then its folder is more than needed, no harm.
  return paths.map((path: string) => isGlob(path) ? globRoot(path) : path);
}

/** Environment variables that stages which compute may see, and the runner hands on. */
export const ENVIRONMENT = ["OMP_*", "GOMP_*", "MKL_*", "CUDA_VISIBLE_DEVICES"] as const;

/** Flags for `deno run`. */
export function denoFlags(access: Access, { project }: Places): string[] {
  return [
    "--no-prompt",
    "--cached-only",
    "--ignore-env",
    ...(access.native ? [`--allow-env=${ENVIRONMENT.join(",")}`] : []),
    `--allow-read=${list(access.read)}`,
    `--allow-write=${list(access.write)}`,
    ...(access.native ? [`--allow-ffi=${list([join(project, "native/build")])}`] : []),
  ];
}

function list(paths: readonly string[]): string {
  const bad = paths.find((path) => path.includes(","));
  if (bad !== undefined) {
    throw new UserError(
      `Cannot use "${bad}": Deno's permission flags take no path with a comma; rename it or link to it`,
    );
  }
  return paths.join(",");
}

/** What any program here needs: programs and libraries, and facts about the machine. */
const PROGRAMS = ["/usr", "/lib", "/lib64"];
const FACTS = ["/etc/ld.so.cache", "/proc", "/sys", "/dev/urandom"];

/**
 * Options for native/launcher.c. Paths that do not exist are passed over by it. Libraries are loaded from where
 * programs may not be started: only the system's and Deno are ever executed, never what a stage has written.
 */
export function launcherOptions(access: Access, { project, deno, torch }: Places): string[] {
  const parts = ["src", "node_modules", "deno.json", "deno.lock", ...(access.native ? ["native/build"] : [])];
  const read = access.read.filter((path) => !access.write.includes(path));
  const readable = [...FACTS, ...parts.map((part) => join(project, part)), ...read];
  if (access.native && torch !== undefined) readable.push(...librariesOf(torch));
  return [
    ...[...PROGRAMS, deno].flatMap((path) => ["--rx", path]),
    ...readable.flatMap((path) => ["--ro", path]),
    ...["--dev", "/dev/null"],
    ...(access.cuda ? ["--gpu"] : []),
    ...access.write.flatMap((path) => ["--rw", path]),
  ];
}

/** libtorch, and the CUDA libraries that pip puts beside it (`site-packages/nvidia`) or the system elsewhere. */
function librariesOf(torch: string): string[] {
  return [torch, join(dirname(torch), "nvidia"), "/usr/local/cuda", "/etc/alternatives", "/opt/nvidia"];
}
