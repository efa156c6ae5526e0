/** The process that serves a run's live page: `main.ts RUN_FOLDER PORT`. The command line starts it bound to that run. */
import { EXIT, UserError } from "../stage/errors.ts";
import { stopOnSignals } from "../stage/signals.ts";
import { Terminal } from "../stage/terminal.ts";
import { watch } from "./watch.ts";

const terminal = new Terminal();
const [folder, port] = Deno.args;
if (folder === undefined || port === undefined) throw new TypeError("usage: main.ts RUN_FOLDER PORT");
try {
  const signal = stopOnSignals();
  const server = watch(folder, { port: Number(port) }, (address) => {
    terminal.log(`watching ${folder}: open ${address} in a browser (Ctrl-C ends it)`);
  });
  signal.addEventListener("abort", () => server.shutdown());
  await server.finished;
} catch (error) {
  terminal.log(error instanceof UserError ? error.message : String((error as Error).stack));
  Deno.exit(EXIT.failed);
}
