/**
 * Loads the text library, at its first use, and turns its failures into errors. It needs no libtorch, and
 * `--allow-ffi=native/build` is enough.
 */
import { UserError } from "../stage/errors.ts";
import { ABI_VERSION, SYMBOLS } from "./symbols.ts";

type Native = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

const LIBRARY = decodeURIComponent(
  new URL("../../native/build/libforetoken_text.so", import.meta.url).pathname,
);

let loaded: Native | undefined;

/**
 * The library's functions. It is never closed.
 *
 * @throws {UserError} where it cannot be loaded
 */
export function native(): Native {
  return loaded ??= load();
}

function load(): Native {
  let library: Native;
  try {
    library = Deno.dlopen(LIBRARY, SYMBOLS).symbols;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`Cannot load the text library; run \`deno task setup\`: ${reason}`, { cause });
  }
  const abi = library.ft_text_abi_version();
  if (abi !== ABI_VERSION) {
    throw new UserError(
      `The text library has ABI ${abi}, this program ${ABI_VERSION}; run \`deno task setup\``,
    );
  }
  return library;
}

/** What the text library refused; the message is its own. */
export class TextError extends Error {
  override readonly name = "TextError";
}

const MESSAGE = new Uint8Array(1 << 12);

/** Passes a result on, or throws the library's message when it is negative. */
export function check(result: number): number {
  if (result >= 0) return result;
  const length = native().ft_text_last_error(MESSAGE, MESSAGE.length);
  throw new TextError(new TextDecoder().decode(MESSAGE.subarray(0, length)));
}

/** Something that the library keeps; freed once, by {@link Symbol.dispose}. */
export class Handle implements Disposable {
  #number: number;

  /** @param result What the function gave that makes the thing. */
  constructor(result: number) {
    this.#number = check(result);
  }

  get number(): number {
    if (this.#number === 0) throw new ReferenceError("Cannot use this after it was disposed of");
    return this.#number;
  }

  [Symbol.dispose](): void {
    if (this.#number === 0) return;
    check(native().ft_text_free(this.#number));
    this.#number = 0;
  }
}

/** Bytes of memory that this process had at most: its resident size. */
export function peakMemory(): number {
  const peak = new Float64Array(1);
  check(native().ft_text_peak_memory(peak));
  return peak[0]!;
}

/** From now on no thread of this process, native or not, can start a program. Cannot be undone. */
export const refuseExec = (): void => void check(native().ft_text_refuse_exec());
