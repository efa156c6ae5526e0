/** The process and its machine as libtorch sees them: devices, threads, memory, random numbers, the lock on exec. */
import { type Device, deviceCode } from "./dtype.ts";
import { check, native } from "./native.ts";

/** CUDA devices that can be used; 0 without a CUDA build or a driver. */
export const cudaDevices = (): number => check(native.ft_cuda_devices());

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
