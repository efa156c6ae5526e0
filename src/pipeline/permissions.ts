/**
 * What each stage may touch, in one table, and how that is said to Deno (flags, which bind TypeScript) and to
 * the launcher (Landlock and seccomp, which bind native code too). Nobody may start other programs. Three reach the
 * network: a fetch stage named hosts; an eval stage the servers that judge its text, where the pipeline file names
 * some; and the page that watches a run one port of this machine, where it waits. Landlock knows ports, Deno hosts too.
 */

import { dirname, join } from "node:path";
import { isFetched } from "../config/fetched.ts";
import { hostsOf, hostsOfEval } from "../config/hosts.ts";
import type { PipelineConfig, StageConfig, StageKind } from "../config/schema.ts";
import { pathsOfDecode } from "../config/schema/decode.ts";
import { pathsOfEval } from "../config/schema/eval.ts";
import { serversOf } from "../config/schema/generation.ts";
import { pathsOfPrepare } from "../config/schema/prepare.ts";
import { isTaskPath } from "../config/task/schema.ts";
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
  /** Whether a stage may start where the system cannot bind native code. */
  readonly sandbox: Sandbox;
}

/** Where the kernel cannot hold native code to its lists: `auto` warns and goes on, `required` refuses. */
export type Sandbox = PipelineConfig["sandbox"];

/** Native code that a stage loads: libtorch with the shim (and the text library), the text library alone, nothing. */
export type Native = "torch" | "text" | "none";

/** What a stage may ask the system. */
type Asked = "statfs" | "systemMemoryInfo";

/** What one stage may touch. */
export interface Access {
  /** Files and folders, with all that is below them. */
  readonly read: readonly string[];
  readonly write: readonly string[];
  readonly native: Native;
  /** Whether it may use a GPU's devices. */
  readonly cuda: boolean;
  /** `host:port` of all that it may connect to; `*.` stands for any subdomain. */
  readonly connect: readonly string[];
  /** Environment variables that it may read; `*` stands for any ending. */
  readonly variables: readonly string[];
  /** What it may ask the system: how much room is left on a disk, how much memory is free. */
  readonly asks: readonly Asked[];
  /** The port of 127.0.0.1 at which it may wait for connections; 0: any. */
  readonly listen?: number;
}

/** What a kind loads, and what it reads and reaches beyond the stages that it needs; the words say so to a reader. */
export const TABLE: { readonly [K in StageKind]: Row<Extract<StageConfig, { run: K }>> } = {
  fetch: {
    native: "none",
    connects: { words: "its endpoint and the hosts it names", of: hostsOf },
    keys: () => NET_ENVIRONMENT,
    asks: ["statfs"],
  },
  prepare: {
    native: { words: "the text library, but for bytes", of: nativeOfPrepare },
    reads: {
      words: "its texts, its tokenizer, this program's source",
      // The program's own modules too: Deno asks for them where a worker begins.
      of: (
        config,
        { project },
      ) => [...fixedParts(pathsOfPrepare(config).filter((path) => !isFetched(path))), join(project, "src")],
    },
  },
  import: { native: "none", reads: { words: "the model's folder", of: ({ from }) => [from] } },
  train: { native: "torch" },
  eval: {
    native: "torch",
    reads: {
      words: "its texts, its tasks' files",
      // Tasks that have a name lie beside the code.
      of: (config, { project }) => [
        ...fixedParts(pathsOfEval(config)),
        ...(config.tasks.some(({ task }) => !isTaskPath(task)) ? [join(project, "src/eval/tasks")] : []),
      ],
    },
    connects: { words: "the servers that judge text, where it names some", of: hostsOfEval },
    keys: ({ generation }) =>
      generation === undefined ? [] : serversOf(generation).flatMap((s) => s.key_env ?? []),
  },
  decode: {
    native: "torch",
    reads: { words: "the files of its domains", of: (config) => fixedParts(pathsOfDecode(config)) },
    asks: ["systemMemoryInfo"],
  },
  export: {
    native: "none",
    reads: {
      words: "the run that it names",
      // An arm of another run with that run's other stages: the tokenizer is its text's.
      of: ({ from }) => from === undefined ? [] : [dirname(from)],
    },
  },
  report: {
    native: "none",
    reads: {
      words: "the run's description; the runs that it compares",
      of: ({ from = [] }, { run }) => [join(run, "pipeline.json"), ...from.map((other) => other.run)],
    },
  },
};

/** What follows from a stage's own config, and how that is said of its kind. */
interface Said<Of> {
  readonly words: string;
  readonly of: Of;
}

interface Row<Config> {
  readonly native: Native | Said<(config: Config) => Native>;
  readonly reads?: Said<(config: Config, places: Places) => string[]>;
  readonly connects?: Said<(config: Config) => string[]>;
  /** Variables that hold what a server asks for. */
  keys?(config: Config): readonly string[];
  readonly asks?: readonly Asked[];
}

function nativeOfPrepare({ tokenizer }: Extract<StageConfig, { run: "prepare" }>): Native {
  return tokenizer === "bytes" ? "none" : "text";
}

const rowOf = ({ run }: StageConfig): Row<StageConfig> => TABLE[run] as Row<StageConfig>;

/** Which native code a stage loads. */
export function nativeOf(config: StageConfig): Native {
  const { native } = rowOf(config);
  return typeof native === "string" ? native : native.of(config);
}
/** `host:port` of all that a stage may connect to. */
export const connectsOf = (config: StageConfig): readonly string[] =>
  rowOf(config).connects?.of(config) ?? [];
/** Environment variables that a stage may read. */
export const variablesOf = (config: StageConfig): readonly string[] => [
  ...new Set([...(nativeOf(config) === "torch" ? ENVIRONMENT : []), ...(rowOf(config).keys?.(config) ?? [])]),
];

/** What a stage may touch: its own folder, the folders of the stages that it needs, and its row of the table. */
export function accessOf(config: StageConfig, places: Places): Access {
  const row = rowOf(config);
  const own = join(places.run, config.id);
  const native = nativeOf(config);
  return {
    read: [
      ...new Set([
        ...(row.reads?.of(config, places) ?? []),
        ...config.needs.map((need) => join(places.run, need)),
        own,
      ]),
    ],
    write: [own],
    native,
    cuda: native === "torch" && "device" in config && config.device !== "cpu",
    connect: connectsOf(config),
    variables: variablesOf(config),
    asks: row.asks ?? [],
  };
}

/** What the page that watches a run may touch: that run, to read. */
export function watchAccess(port: number, { project, run }: Places): Access {
  return {
    read: [run, join(project, "src/watch")],
    write: [],
    native: "none",
    cuda: false,
    connect: [],
    variables: [],
    asks: [],
    listen: port,
  };
}

/** What the process that continues texts may touch: a trained arm and its tokenizer, to read. */
export function generateAccess({ arm, text, device }: Generating): Access {
  return {
    read: [arm, join(text, "tokenizer.json")],
    write: [],
    native: "torch",
    cuda: device !== "cpu",
    connect: [],
    variables: ENVIRONMENT,
    asks: ["systemMemoryInfo"],
  };
}

/** A model to continue texts with. */
export interface Generating {
  /** Folder of its train stage; absolute. */
  readonly arm: string;
  /** Folder of the prepare stage that this one needs. */
  readonly text: string;
  readonly device: "auto" | "cpu" | "cuda";
  readonly threads: "auto" | number;
}

/** What has to be readable so that these paths and globs can be. */
function fixedParts(paths: readonly string[]): string[] {
  // A path that exists may have a glob's characters in its name: then its folder is more than needed, no harm.
  return paths.map((path) => isGlob(path) ? globRoot(path) : path);
}

/** Environment variables that stages which compute may see, and the runner hands on. */
export const ENVIRONMENT = ["OMP_*", "GOMP_*", "MKL_*", "CUDA_VISIBLE_DEVICES"] as const;

/** The same for stages that fetch. The token goes to the endpoint only. */
const NET_ENVIRONMENT = ["HF_TOKEN"] as const;
/** Names of proxies' addresses, which Deno itself reads. */
export const PROXIES = ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"] as const;
/** What else Deno reads for the network at its start: no permission of a stage's. */
export const DENO_NET_ENVIRONMENT = [
  ...PROXIES,
  "NO_PROXY",
  "no_proxy",
  "DENO_CERT",
  "DENO_TLS_CA_STORE",
] as const;

/** Flags for `deno run`. */
export function denoFlags(access: Access, { project }: Places): string[] {
  const build = join(project, "native/build");
  const libraries = { torch: [build], text: [join(build, "libforetoken_text.so")], none: [] }[access.native];
  return [
    "--no-prompt",
    "--cached-only",
    "--ignore-env",
    ...(access.variables.length > 0 ? [`--allow-env=${access.variables.join(",")}`] : []),
    ...lists("--allow-read", access.read),
    ...lists("--allow-write", access.write),
    ...lists("--allow-ffi", libraries),
    ...(access.connect.length > 0 ? [`--allow-net=${access.connect.join(",")}`] : []),
    ...(access.asks.length > 0 ? [`--allow-sys=${access.asks.join(",")}`] : []),
    ...(access.listen === undefined ? [] : [`--allow-net=127.0.0.1:${access.listen}`]),
  ];
}

/** Paths in one flag: Linux takes no argument above 128 KiB, and a report may read thousands of stages. */
const PATHS = 30;

/** A flag with its paths, several times where there are many; they add up. */
function lists(flag: string, paths: readonly string[]): string[] {
  const bad = paths.find((path) => path.includes(","));
  if (bad !== undefined) {
    throw new UserError(
      `Cannot use "${bad}": Deno's permission flags take no path with a comma; rename it or link to it`,
    );
  }
  const starts = Array.from({ length: Math.ceil(paths.length / PATHS) }, (_, i) => i * PATHS);
  return starts.map((start) => `${flag}=${paths.slice(start, start + PATHS).join(",")}`);
}

/** What any program here needs: programs and libraries, and facts about the machine. */
const PROGRAMS = ["/usr", "/lib", "/lib64"];
const FACTS = ["/etc/ld.so.cache", "/proc", "/sys", "/dev/urandom"];
/** What finding a host by its name takes, and the system's certificates for whoever sets DENO_TLS_CA_STORE. */
const NET_FACTS = ["resolv.conf", "hosts", "host.conf", "nsswitch.conf", "gai.conf", "ssl", "pki"];

/**
 * Options for native/launcher.c. Paths that do not exist are passed over by it. Libraries are loaded from where
 * programs may not be started: only the system's and Deno are ever executed, never what a stage has written.
 */
export function launcherOptions(access: Access, { project, deno, torch }: Places): string[] {
  const build =
    { torch: ["native/build"], text: ["native/build/libforetoken_text.so"], none: [] }[access.native];
  const parts = ["src", "node_modules", "deno.json", "deno.lock", ...build];
  const read = access.read.filter((path) => !access.write.includes(path));
  const readable = [...FACTS, ...parts.map((part) => join(project, part)), ...read];
  if (access.native === "torch" && torch !== undefined) readable.push(...librariesOf(torch));
  if (access.connect.length > 0) readable.push(...NET_FACTS.map((name) => join("/etc", name)));
  const ports = new Set(access.connect.map((host) => /:(\d+)$/.exec(host)![1]!));
  return [
    ...[...PROGRAMS, deno].flatMap((path) => ["--rx", path]),
    ...readable.flatMap((path) => ["--ro", path]),
    ...["--dev", "/dev/null"],
    ...(access.cuda ? ["--gpu"] : []),
    ...[...ports].flatMap((port) => ["--connect", port]),
    ...(access.listen === undefined ? [] : ["--bind", String(access.listen)]),
    ...access.write.flatMap((path) => ["--rw", path]),
  ];
}

/** libtorch, and the CUDA libraries that pip puts beside it (`site-packages/nvidia`) or the system elsewhere. */
function librariesOf(torch: string): string[] {
  return [torch, join(dirname(torch), "nvidia"), "/usr/local/cuda", "/etc/alternatives", "/opt/nvidia"];
}
