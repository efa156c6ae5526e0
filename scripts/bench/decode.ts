/**
 * `deno task bench decode`: how fast models decode on the CPU, with two threads and the wait policy that the pipeline
 * sets, and how far that is from the targets and from what the machine allows.
 *
 *     deno task bench decode [plain|batch|rows] [SIZE...]       SIZE: 1M, 10M, 100M (of bytes), 124M (of subwords)
 *     deno task bench decode speculation [ARM]                  ARM: folder of a finished train stage
 */
import { UserError } from "../../src/stage/errors.ts";
import { start } from "../../src/torch/mod.ts";
import { TWO_THREADS } from "./child.ts";
import { isSize, type Size, SIZE_NAMES } from "./decode_model.ts";
import { comparePlain } from "./decode_plain.ts";
import { timeRows } from "./decode_rows.ts";
import { measureSpeculation } from "./decode_speculation.ts";
import { print } from "./table.ts";

const ARM = "runs/quickstart/forward";

type Part = (args: readonly string[]) => Promise<void> | void;

const PARTS: Record<string, Part> = {
  plain: (args) => comparePlain(sizes(args, ["10M", "100M"]), 1),
  batch: (args) => comparePlain(sizes(args, ["10M", "100M"]), 8),
  rows: (args) => timeRows(sizes(args, ["1M", "10M", "100M"])),
  speculation: ([arm = ARM]) => measureSpeculation(arm),
};

export async function run([name, ...args]: readonly string[]): Promise<void> {
  const parts = name === undefined ? Object.values(PARTS) : [PARTS[name]];
  for (const [name, value] of Object.entries(TWO_THREADS)) Deno.env.set(name, value); // before libtorch loads
  start({ device: "cpu", threads: "auto" });
  for (const [i, part] of parts.entries()) {
    if (part === undefined) {
      throw new UserError(`There is no part "${name}": ${Object.keys(PARTS).join(", ")}`);
    }
    if (i > 0) print();
    await part(args);
  }
}

function sizes(names: readonly string[], usual: readonly Size[]): readonly Size[] {
  const unknown = names.find((name) => !isSize(name));
  if (unknown !== undefined) {
    throw new UserError(`There is no size "${unknown}": ${SIZE_NAMES.join(", ")}`);
  }
  return names.length === 0 ? usual : names.filter(isSize);
}
