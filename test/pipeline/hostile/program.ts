/**
 * A hostile stage: started in the place of src/stage.ts, it locks itself by the same function and then tries what it must
 * not get done, from each kind of thread. Writes how each attempt ended into its folder, outcomes.json.
 *
 *     program.ts RUN STAGE
 */
import { lockNative } from "../../../src/stage.ts";
import { nativeOf } from "../../../src/pipeline/permissions.ts";
import type { StageConfig } from "../../../src/config/schema.ts";
import { fromNative, fromTypeScript, loadLibrary, type Order, type Outcome } from "./attempts.ts";

const [run, id] = Deno.args;
const folder = `${run}/${id}`;
const read = <Value>(file: string) => JSON.parse(Deno.readTextFileSync(`${folder}/${file}`)) as Value;

const order = read<Order>("order.json");
const library = order.library === undefined ? undefined : loadLibrary(order.library);
library?.hostile_start_thread(); // there before the lock
if (order.lock) await lockNative(nativeOf(read<StageConfig>("config.json")));

const outcomes: Record<string, Outcome> = { "TypeScript": await fromTypeScript(order, folder) };
if (library) {
  outcomes["native"] = await fromNative(library.hostile_attempt, order);
  outcomes["native, nonblocking"] = await fromNative(library.nonblocking, order);
  outcomes["native, a new thread"] = await fromNative(library.hostile_attempt_in_new_thread, order);
  outcomes["native, a thread from before"] = await fromNative(library.hostile_attempt_in_old_thread, order);
}

const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
const { typescript, native } = await new Promise<{ typescript: Outcome; native: Outcome }>(
  (resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage([order, folder]);
  },
);
outcomes["TypeScript, a worker"] = typescript;
if (library) outcomes["native, a worker"] = native;

Deno.writeTextFileSync(`${folder}/outcomes.json`, JSON.stringify(outcomes));
Deno.exit(0); // the old thread waits for ever
