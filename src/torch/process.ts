/** The process and its machine as libtorch sees them: devices, threads, memory, random numbers, the lock on exec. */
import { type Device, deviceCode } from "./dtype.ts";
import { check, load, native, readText, TorchError, versions } from "./native.ts";

/** Where a process computes. */
export interface Machine {
  readonly device: Device;
  readonly threads: number;
  /** Why this device, for a reader. */
  readonly reason: string;
}

/**
 * Loads libtorch and chooses the device, once, at the start of a process.
 *
 * @throws {TorchError} when CUDA is asked for and there is none.
 */
export function start(
  wanted: { readonly device: "auto" | "cpu" | "cuda"; readonly threads: "auto" | number },
): Machine {
  load();
  // libtorch by itself takes half of the logical processors.
  setThreads(wanted.threads === "auto" ? usualThreads() : wanted.threads);
  const found = cudaDevices();
  if (wanted.device === "cuda" && found === 0) {
    throw new TorchError(
      `device: cuda was asked for and there is none (${whyNoCuda()}); set device to auto or cpu`,
    );
  }
  const cuda = wanted.device !== "cpu" && found > 0;
  const reason = wanted.device === "auto" ? (cuda ? "found by auto" : whyNoCuda()) : "asked for";
  return { device: cuda ? "cuda:0" : "cpu", threads: threads(), reason };
}

/** The machine as a line for a reader. */
export const inWords = ({ device, reason, threads }: Machine): string =>
  `device: ${device} (${reason}), ${threads} ${threads === 1 ? "thread" : "threads"}`;

/** What OpenMP is told, else all processors. */
const usualThreads = (): number => Number(Deno.env.get("OMP_NUM_THREADS")) || navigator.hardwareConcurrency;

const whyNoCuda = (): string =>
  versions().cudaBuild ? "no CUDA device or driver found" : "this libtorch is a CPU build";

/** CUDA devices that can be used; 0 without a CUDA build or a driver. */
export const cudaDevices = (): number => check(native.ft_cuda_devices());

/** What a GPU is: its name, such as NVIDIA H100, and its compute capability. */
export interface Gpu {
  readonly name: string;
  readonly major: number;
  readonly minor: number;
}

/** @throws {TorchError} when the driver does not know it. */
export const gpu = (device: Device): Gpu =>
  JSON.parse(readText((out, capacity) => check(native.ft_cuda_device(deviceCode(device), out, capacity))));

/** Waits until a device has done what it was given. */
export const synchronize = (device: Device): void => void check(native.ft_synchronize(deviceCode(device)));

/** Threads that one op may use on the CPU. */
export const threads = (): number => check(native.ft_threads());
export const setThreads = (count: number): void => void check(native.ft_set_threads(count));

const pair = new Float64Array(2);

/** Bytes in use now and at the peak: resident size for the CPU, libtorch's allocations for CUDA. */
export function memory(device: Device): { now: number; peak: number } {
  check(native.ft_memory(deviceCode(device), pair));
  return { now: pair[0]!, peak: pair[1]! };
}

/** Seeds the generators of all devices. */
export const seed = (value: number): void => void check(native.ft_seed(value));

const MAX_RNG_STATE = 1 << 14;

/** State of the CPU's generator. */
export function rngState(): Uint8Array<ArrayBuffer> {
  const state = new Uint8Array(MAX_RNG_STATE);
  return state.slice(0, check(native.ft_rng_state(state, state.length)));
}

export const setRngState = (state: Uint8Array<ArrayBuffer>): void =>
  void check(native.ft_set_rng_state(state, state.length));

/** From now on no thread of this process, native or not, can start a program. Cannot be undone. */
export const refuseExec = (): void => void check(native.ft_refuse_exec());
