/** A program that computes on demand: it is sent lines and answers each with one. */
import { UserError } from "../../src/stage/errors.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** Deno starts nothing while these are set. */
export const CLEARED = { LD_LIBRARY_PATH: "", LD_PRELOAD: "" };

/** Two threads and the waiting that the pipeline sets: threads sleep soon where others want the processor. */
export const TWO_THREADS = { OMP_NUM_THREADS: "2", GOMP_SPINCOUNT: "10000" };

/** The Python of `deno task peers`. */
export const PEER = `${ROOT}native/build/peers/bin/python`;

export class Child implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #lines: AsyncGenerator<string, void>;

  /** Starts a program of this repository in its root. @throws {Deno.errors.NotFound} when there is none. */
  constructor(readonly program: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#process = new Deno.Command(program, {
      args: [...args],
      cwd: ROOT,
      env: { ...CLEARED, ...env },
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#lines = linesOf(this.#process.stdout);
  }

  /** The next line that it prints. @throws {UserError} when it has ended; why, it has said on standard error. */
  async next(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new UserError(`${this.program} ended early`);
    return value;
  }

  async ask(line: string): Promise<string> {
    await this.#writer.write(new TextEncoder().encode(`${line}\n`));
    return this.next();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {}); // it may have ended by itself
    await this.#lines.return();
    await this.#process.status;
  }
}

/** The lines of a stream. */
export async function* linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string, void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}
