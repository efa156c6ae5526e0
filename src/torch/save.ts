/** Files of tensors, copied at once and written by a thread of the shim: what is saved may change in the meantime. */
import type { Device } from "./dtype.ts";
import { check, native } from "./native.ts";
import type { Tensor } from "./tensor.ts";

/** A file to be: bytes, then the elements of tensors, one after another. */
export interface TensorFile {
  /** Its folder exists. */
  readonly path: string;
  readonly header: Uint8Array<ArrayBuffer>;
  readonly tensors: readonly Tensor[];
}

const SHA256_BYTES = 32;
const MAX_FILES = 16;
const digests = new Uint8Array(MAX_FILES * SHA256_BYTES);

/**
 * Makes room for the copies of files of these sizes, in bytes: in the background, since to be given a gigabyte can take
 * seconds. A save that begins meanwhile waits for it.
 */
export function reserveSave(sizes: readonly number[], device: Device): void {
  check(native.ft_save_reserve(Float64Array.from(sizes), sizes.length, device === "cpu" ? 0 : 1));
}

/**
 * Copies files and begins to write them. Copies are kept for the next save to reuse, until {@link releaseSave}.
 *
 * @throws {TorchError} when a save is in flight, or there is no memory for the copies; nothing is in flight then.
 */
export function startSave(files: readonly TensorFile[]): void {
  for (const { path, header, tensors } of files) {
    const handles = Int32Array.from(tensors, (tensor) => tensor.handle);
    const name = new TextEncoder().encode(`${path}\0`);
    check(native.ft_save_copy(name, header, header.length, handles, handles.length));
  }
  check(native.ft_save_start());
}

/**
 * The SHA-256 of each file (hexadecimal) once all are written and flushed to the disk; null while that is going on.
 *
 * @param wait Blocks until then.
 * @throws {TorchError} with the system's reason where it refused; the files are not whole then.
 */
export function finishSave(wait: boolean): string[] | null {
  const files = check(native.ft_save_finish(wait ? 1 : 0, digests, digests.length));
  if (files === 0) return null;
  return Array.from(
    { length: files },
    (_, i) => digests.slice(i * SHA256_BYTES, (i + 1) * SHA256_BYTES).toHex(),
  );
}

/** Waits for a save in flight, then frees the copies; what failed or was half begun is forgotten. */
export const releaseSave = (): void => void check(native.ft_save_release());
