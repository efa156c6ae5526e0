/** Out of memory, in a sentence: what was being made, how much of it, and what to lower; and what is to be expected. */
import { memoryOf } from "../model/account.ts";
import type { ModelShape } from "../model/shape.ts";
import { UserError } from "../stage/errors.ts";
import { TorchError } from "../torch/mod.ts";

/** What libtorch's allocators say: `can't allocate memory: you tried to allocate 123 bytes`, `Tried to allocate 1.2 GiB`. */
const REFUSED = /out of memory|can't allocate memory|bad_alloc/i;
const AMOUNT = /tried to allocate (\d[\d.]* \w+)/i;

/**
 * Runs `body`, which makes `what`.
 *
 * @param lower What can be done about it.
 * @throws {UserError} in place of libtorch's message when memory runs out; any other error as it is.
 */
export function allocating<T>(what: string, lower: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof TorchError) || !REFUSED.test(error.message)) throw error;
    const amount = AMOUNT.exec(error.message)?.[1];
    throw new UserError(
      `Out of memory for ${what}${amount ? ` (${inWords(amount)} more)` : ""}: lower ${lower}`,
      {
        cause: error,
      },
    );
  }
}

/** Bytes are for programs. */
function inWords(amount: string): string {
  const bytes = Number(/^(\d+) bytes/.exec(amount)?.[1]);
  return Number.isNaN(bytes) ? amount : `${(bytes / 1e9).toFixed(2)} GB`;
}

/**
 * What a run will take, for its log: where the system kills a process that takes more than there is, nobody else says
 * what it was for.
 *
 * @param batch Sequences of a micro-batch.
 */
export function expectedMemory(shape: ModelShape, batch: number, recompute: boolean): string {
  const { total, activations } = memoryOf(shape, batch, recompute);
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toPrecision(2)} GB`;
  return `memory: ${gigabytes(total)} expected beside libtorch's own, ${
    gigabytes(activations)
  } of it for activations ` +
    "(lower train.batch or model.context where that is too much)";
}
