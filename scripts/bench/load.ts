/** Prints the milliseconds that load() takes in this process; ffi.ts starts it. */
import { load } from "../../src/torch/mod.ts";
import { print } from "./table.ts";

const start = performance.now();
load();
print(String(performance.now() - start));
