/** `deno task bench NAME`: runs one benchmark and prints its table; without a name, lists them. */
import { UserError } from "../../src/stage/errors.ts";
import { print } from "./table.ts";

interface Benchmark {
  /** One line for the list. */
  readonly about: string;
  readonly load: () => Promise<{ run: (args: readonly string[]) => Promise<void> }>;
}

const BENCHMARKS: Record<string, Benchmark> = {
  checkpoint: {
    about: "for how long a save of 100 M parameters stops the training, and its time in the background",
    load: () => import("./checkpoint.ts"),
  },
  batches: {
    about: "tokens gathered a second, and the share of a training step that this takes",
    load: () => import("./batches.ts"),
  },
  bpe: {
    about: "training byte-level BPE and encoding, beside the public tokenizers; takes a folder of text",
    load: () => import("./bpe.ts"),
  },
  curriculum: {
    about: "a run of forward with 4 heads against runs with 2, 3 and 4 heads awake throughout",
    load: () => import("./curriculum.ts"),
  },
  decode: {
    about:
      "tokens a second against transformers' and memory's, the cost of verifying drafts; takes plain, batch, rows or speculation",
    load: () => import("./decode.ts"),
  },
  ffi: {
    about: "one small op from TypeScript, C++ and PyTorch; time to load libtorch and to print the help",
    load: () => import("./ffi.ts"),
  },
  launcher: {
    about: "what binding a stage costs at its start, and the speed of training bound against unbound",
    load: () => import("./launcher.ts"),
  },
  memory: {
    about: "peak memory of a training step with 1 to 8 heads, and against eager PyTorch's",
    load: () => import("./memory.ts"),
  },
  pipeline: {
    about: "the time of a dry run of full, and of a run of 100 stages in which nothing has changed",
    load: () => import("./pipeline.ts"),
  },
  prepare: {
    about:
      "text of each format to shards, MB/s and memory; takes a folder of text, --large for a 2 GB Parquet file",
    load: () => import("./prepare.ts"),
  },
  report: {
    about: "time and size of the page of a run with 60 arms; takes another number of arms",
    load: () => import("./report.ts"),
  },
  tasks: {
    about: "BLiMP against a plain PyTorch loop over the sentences; takes the folder of its .jsonl files",
    load: () => import("./tasks.ts"),
  },
  train: {
    about: "time of a training step against eager PyTorch's; after it sizes to measure: 1M, 10M",
    load: () => import("./train.ts"),
  },
};

async function main([name, ...args]: readonly string[]): Promise<number> {
  const benchmark = name === undefined ? undefined : BENCHMARKS[name];
  if (!benchmark) {
    if (name !== undefined) print(`There is no benchmark "${name}". There are:`);
    for (const [name, { about }] of Object.entries(BENCHMARKS)) print(`  ${name.padEnd(12)}${about}`);
    return name === undefined ? 0 : 2;
  }
  try {
    await (await benchmark.load()).run(args);
    return 0;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    print(error.message);
    return 1;
  }
}

Deno.exitCode = await main(Deno.args);
