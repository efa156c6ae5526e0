/** How tests ask for a GPU. */
import { cudaDevices, load } from "../../src/torch/mod.ts";
import { ffi, withFfi } from "../support.ts";

/** A test on the first CUDA device; ignored where there is none. */
export function withCuda(name: string, body: () => void | Promise<void>): void {
  if (ffi) load();
  if (ffi && cudaDevices() > 0) withFfi(name, body);
  else Deno.test({ name, ignore: true, fn: () => {} });
}
