/** Memory that decoding takes, told before it is taken: who is killed for memory says nothing. */
import type { ModelShape } from "../model/mod.ts";
import { UserError } from "../stage/errors.ts";
import type { Device } from "../torch/mod.ts";
import { allocating } from "../train/memory.ts";

const FLOAT = 4; // bytes; decoding keeps float32
/** Slots that lie together in a cache. */
const SLOTS = 16;

/** What is decoded together. */
export interface Together {
  readonly sequences: number;
  /** Tokens of the longest prompt, all of which go through the model at once. */
  readonly prompt: number;
  readonly newTokens: number;
  /** Heads that draft, head 1 among them. */
  readonly heads: number;
  /** Drafted tokens of a forward. */
  readonly drafted: number;
}

/**
 * Bytes for keys and values of every block that decoding goes through, for what one block makes of the prompts, and for
 * the logits of a forward.
 */
export function decodingBytes(shape: ModelShape, together: Together): number {
  const { trunkLayers, kv_heads, headWidth, projections, width, ffn, vocab, heads: { kind } } = shape;
  const { sequences, prompt, newTokens, heads, drafted } = together;
  const further = heads === 1 ? 0 : shape.heads.count - 1; // all of them keep up, whichever draft
  const blocks = trunkLayers +
    { linear: 0, residual: 0, transformer: 1 + further, sequential: further }[kind];
  const slots = Math.ceil((prompt + newTokens + drafted) / SLOTS) * SLOTS;
  const cached = blocks * 2 * slots * kv_heads * headWidth;
  const activations = prompt * (4 * width + projections * headWidth + 3 * ffn);
  return FLOAT * sequences * (cached + activations + (1 + drafted) * vocab);
}

/** Bytes that the system could still give; null where that is not known, as on a GPU, whose allocator says no itself. */
export function freeBytes(device: Device): number | null {
  if (device !== "cpu") return null;
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "systemMemoryInfo" });
  return state === "granted" ? Deno.systemMemoryInfo().available : null;
}

/** @throws {UserError} when a batch needs more than there is. @param advice What to lower. */
export function checkMemory(
  arm: string,
  shape: ModelShape,
  together: Together,
  free: number | null,
  advice: string,
): void {
  const bytes = decodingBytes(shape, together);
  if (free === null || bytes <= free) return;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toPrecision(3)} GB`;
  throw new UserError(
    `A batch of ${together.sequences} prompts needs ${
      gigabytes(bytes)
    } for keys, values and activations of ${arm}, ` +
      `and ${gigabytes(free)} of memory are free: lower ${advice}`,
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
