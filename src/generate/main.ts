/**
 * The process that continues texts: `main.ts ARM_FOLDER TEXT_FOLDER`, an {@link Order} on standard input. The command line
 * starts it bound to reading these folders. Text goes to standard output, everything else to standard error.
 */
import { tokenizerOf } from "../data/tokenizer_of.ts";
import { EXIT, Interrupted, UsageError, UserError } from "../stage/errors.ts";
import { linesOf } from "../stage/lines.ts";
import { stopOnSignals } from "../stage/signals.ts";
import { Terminal } from "../stage/terminal.ts";
import { load, refuseExec, start } from "../torch/mod.ts";
import { openNewest } from "./newest.ts";
import type { Order } from "./order.ts";
import { standardOutput } from "./page.ts";
import { Session } from "./session.ts";

/** Continues what it is asked to; the exit code. */
async function main(armFolder: string, textFolder: string, terminal: Terminal): Promise<number> {
  const stop = stopOnSignals();
  const paper = standardOutput();
  try {
    load();
    refuseExec(); // native code is not bound by Deno's permissions
    const lines = linesOf(Deno.stdin.readable, stop);
    const order: Order = JSON.parse((await lines.next()).value!);
    const { device } = start(order);
    using newest = openNewest(armFolder, device);
    const { model, step, steps } = newest;
    using tokenizer = tokenizerOf({ folder: textFolder, meta: newest });
    using decoder = model.decoder(device === "cpu" ? "rows" : "aten");
    if (step < steps) terminal.log(`not finished: this is the model after step ${step} of ${steps}`);
    const session = new Session(decoder, tokenizer, order, { paper, terminal, stop, ask });
    if (order.prompts !== null) await session.answer(order.prompts);
    else await session.converse(lines);
    return EXIT.done;
  } catch (error) {
    if (error instanceof Interrupted) {
      if (paper.isTerminal) paper.write("\n"); // behind an unfinished line
      return EXIT.interrupted;
    }
    if (error instanceof Deno.errors.BrokenPipe) return EXIT.done; // `| head`: it has read enough
    terminal.log(sentenceOf(error));
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

/** On standard error, since it is no text. */
const ask = (): void => void Deno.stderr.writeSync(new TextEncoder().encode("> "));

/** A stack only for what is no error of the user's or of a library's. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isPlain = error instanceof UserError || error.name === "TorchError" || error.name === "TextError";
  return isPlain ? error.message : error.stack ?? String(error);
}

const [armFolder, textFolder] = Deno.args;
if (armFolder === undefined || textFolder === undefined) {
  throw new TypeError("usage: main.ts ARM_FOLDER TEXT_FOLDER");
}
Deno.exit(await main(armFolder, textFolder, new Terminal()));
