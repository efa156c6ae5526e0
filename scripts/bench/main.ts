/** `deno task bench NAME`: runs one benchmark and prints its table; without a name, lists them. */
import { UserError } from "../../src/stage/errors.ts";
import { print } from "./table.ts";

interface Benchmark {
  /** One line for the list. */
  readonly about: string;
  readonly load: () => Promise<{ run: () => Promise<void> }>;
}

const BENCHMARKS: Record<string, Benchmark> = {
  ffi: {
    about: "one small op from TypeScript, C++ and PyTorch; time to load libtorch and to print the help",
    load: () => import("./ffi.ts"),
  },
  memory: {
    about: "peak memory of a training step with 8 heads against 1",
    load: () => import("./memory.ts"),
  },
};

async function main(name: string | undefined): Promise<number> {
  const benchmark = name === undefined ? undefined : BENCHMARKS[name];
  if (!benchmark) {
    if (name !== undefined) print(`There is no benchmark "${name}". There are:`);
    for (const [name, { about }] of Object.entries(BENCHMARKS)) print(`  ${name.padEnd(8)}${about}`);
    return name === undefined ? 0 : 2;
  }
  try {
    await (await benchmark.load()).run();
    return 0;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    print(error.message);
    return 1;
  }
}

Deno.exitCode = await main(Deno.args[0]);
