/** Memory that decoding takes, told before it is taken: who is killed for memory says nothing. */
import type { ModelShape } from "../model/mod.ts";
import { UserError } from "../stage/errors.ts";
import type { Device } from "../torch/mod.ts";
import { allocating } from "../train/memory.ts";

const FLOAT = 4; // bytes; decoding keeps float32
/** Slots that lie together in a cache. */
const SLOTS = 16;

/**
 * Bytes for keys and values of every block that decoding goes through, and for the logits of a forward.
 *
 * @param heads That draft, head 1 among them.
 * @param slots Of each sequence: prompt, continuation, drafts.
 */
export function decodingBytes(
  shape: ModelShape,
  heads: number,
  sequences: number,
  slots: number,
  rows: number,
): number {
  const { trunkLayers, kv_heads, headWidth, vocab, heads: { kind } } = shape;
  const ofHeads = { linear: 0, residual: 0, transformer: heads, sequential: heads - 1 }[kind];
  const ofBlock = 2 * Math.ceil(slots / SLOTS) * SLOTS * kv_heads * headWidth;
  return FLOAT * sequences * ((trunkLayers + ofHeads) * ofBlock + rows * vocab);
}

/** Bytes that the system could still give; null where that is not known, as on a GPU, whose allocator says no itself. */
export function freeBytes(device: Device): number | null {
  if (device !== "cpu") return null;
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "systemMemoryInfo" });
  return state === "granted" ? Deno.systemMemoryInfo().available : null;
}

/** @throws {UserError} when a batch needs more than there is. */
export function checkMemory(arm: string, batch: number, bytes: number, free: number | null): void {
  if (free === null || bytes <= free) return;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toPrecision(3)} GB`;
  throw new UserError(
    `A batch of ${batch} prompts needs ${gigabytes(bytes)} for keys, values and logits of ${arm}, and ` +
      `${gigabytes(free)} of memory are free: lower batches, new_tokens or prompt_bytes`,
  );
}

/** Runs `body`. @throws {UserError} in place of libtorch's message when memory runs out; any other error as it is. */
export async function withinMemory<T>(arm: string, batch: number, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    return allocating(`decoding a batch of ${batch} prompts with ${arm}`, "batches or new_tokens", () => {
      throw error;
    });
  }
}
