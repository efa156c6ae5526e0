/** C++ files of this folder as libraries, built when they have changed. */
import { UserError } from "../../src/stage/errors.ts";
import { CLEARED } from "./child.ts";
import { print } from "./table.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const FOLDER = `${ROOT}native/build/bench`;

/**
 * Compiles NAME.cpp unless that was done, and returns the path of the library.
 *
 * @param flags Of the compiler, besides those of every library.
 * @param version Of what it is compiled against.
 */
export async function compiled(name: string, flags: readonly string[], version = ""): Promise<string> {
  const [source, library] = [`${ROOT}scripts/bench/${name}.cpp`, `${FOLDER}/${name}.so`];
  const stamp = `${version} ${Deno.statSync(source).mtime?.getTime()}`;
  if (readOrNothing(`${library}.stamp`) === stamp) return library;
  Deno.mkdirSync(FOLDER, { recursive: true });
  print(`compiling scripts/bench/${name}.cpp (once)`);
  const args = ["-std=c++20", "-fPIC", "-shared", "-fvisibility=hidden", "-o", library, source, ...flags];
  const { success, stderr } = await new Deno.Command("c++", { args, env: CLEARED }).output();
  if (!success) throw new UserError(`Cannot compile ${name}.cpp:\n${new TextDecoder().decode(stderr)}`);
  Deno.writeTextFileSync(`${library}.stamp`, stamp);
  return library;
}

/** Flags for what includes and calls libtorch. */
export const WITH_TORCH = [
  ...["-O2", "-isystem", `${ROOT}native/build/torch/include`],
  ...[`-L${ROOT}native/build/torch/lib`, "-lc10", "-ltorch_cpu"],
];

function readOrNothing(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
