/**
 * Loads libtorch and the shim, once, and turns their failures into errors.
 *
 * libtorch is opened by absolute path before the shim, whose own references are then resolved by name: neither
 * LD_LIBRARY_PATH nor Python is needed, and another libtorch on the system cannot slip in. The libraries are never
 * closed: libtorch's exit hooks would outlive its code.
 */
import { ABI_VERSION, SYMBOLS } from "./symbols.ts";

/** What libtorch, or the shim, refused; the message is its own. */
export class TorchError extends Error {
  override readonly name = "TorchError";
}

type Native = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** The shim's functions. Every use before {@link load} throws. */
export let native: Native = new Proxy({}, {
  get: (_, name) => {
    throw new TorchError(`Cannot call ${String(name)} before load()`);
  },
}) as Native;

let loaded = false;

/** Where set-up puts the shim and the link to libtorch; `--allow-ffi=native/build` covers both. */
const BUILD = new URL("../../native/build/", import.meta.url);

/** In the order of their dependencies; those of CUDA are there in a CUDA build only. */
const LIBRARIES = ["libc10.so", "libc10_cuda.so", "libtorch_cpu.so", "libtorch_cuda.so", "libtorch.so"];
const ONLY_WITH_CUDA = new Set(["libc10_cuda.so", "libtorch_cuda.so"]);

const pathOf = (url: URL): string => decodeURIComponent(url.pathname);

/**
 * Loads libtorch and the shim; does nothing the second time.
 *
 * @throws {TorchError} with every reason for which a library could not be loaded, or when the libtorch that runs is
 * not the one that the shim was built for.
 */
export function load(): void {
  if (loaded) return;
  const failures: string[] = [];
  for (const name of LIBRARIES) {
    try {
      Deno.dlopen(pathOf(new URL(`torch/lib/${name}`, BUILD)), {});
    } catch (error) {
      if (ONLY_WITH_CUDA.has(name) && !exists(name)) continue;
      failures.push(reason(error));
    }
  }
  try {
    native = Deno.dlopen(pathOf(new URL("libforetoken.so", BUILD)), SYMBOLS).symbols;
  } catch (error) {
    failures.push(reason(error));
    throw new TorchError(`Cannot load the native shim; run \`deno task setup\`:\n  ${failures.join("\n  ")}`);
  }
  checkVersions();
  loaded = true;
}

const reason = (error: unknown): string => error instanceof Error ? error.message : String(error);

/** Whether libtorch has this library; unknown (no permission to look) counts as absent. */
function exists(name: string): boolean {
  try {
    Deno.statSync(new URL(`torch/lib/${name}`, BUILD));
    return true;
  } catch {
    return false;
  }
}

function checkVersions(): void {
  const abi = native.ft_abi_version();
  if (abi !== ABI_VERSION) {
    throw new TorchError(`The shim has ABI ${abi}, this program ${ABI_VERSION}; run \`deno task setup\``);
  }
  const { built, running } = versions();
  if (built !== running) {
    throw new TorchError(
      `The shim was built for libtorch ${built} and found ${running}; run \`deno task setup\``,
    );
  }
}

const message = new Uint8Array(1 << 14);

/** Reads what a function writes that returns the length of its text. */
export function readText(call: (out: Uint8Array<ArrayBuffer>, capacity: number) => number): string {
  const length = call(message, message.length);
  return new TextDecoder().decode(message.subarray(0, Math.min(length, message.length)));
}

/** The error behind a negative result. */
export function lastError(): TorchError {
  return new TorchError(readText((out, capacity) => native.ft_last_error(out, capacity)));
}

/** Passes a result on, or throws the shim's message when it is negative. */
export function check(result: number): number {
  if (result < 0) throw lastError();
  return result;
}

/**
 * What is running. `rows` names the instruction set of the row kernels, `products` that of the float32 matrix products on
 * the CPU, or libtorch.
 */
export interface Versions {
  readonly built: string;
  readonly running: string;
  readonly rows: string;
  readonly products: string;
  /** Whether this libtorch was built with CUDA; whether there is a device is another matter. */
  readonly cudaBuild: boolean;
}

/** Versions of libtorch, at build time and now, and which kernels run. */
export function versions(): Versions {
  return JSON.parse(readText((out, capacity) => check(native.ft_versions(out, capacity))));
}
