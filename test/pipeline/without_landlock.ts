/**
 * Starts a program as on a kernel without Landlock: a filter that it inherits answers for the system.
 *
 *     without_landlock.ts PROGRAM [ARGUMENT ...]
 */
const LIBRARY = new URL("../../native/build/test/libhostile.so", import.meta.url).pathname;
const { hostile_hide_landlock: hide } = Deno.dlopen(decodeURIComponent(LIBRARY), {
  hostile_hide_landlock: { parameters: [], result: "i32" },
}).symbols;
const error = hide();
if (error !== 0) throw new Error(`cannot hide Landlock: error ${error}`);
const [program, ...args] = Deno.args;
const { code } = await new Deno.Command(program!, { args, stdin: "null" }).output()
  .then((ended) => {
    Deno.stdout.writeSync(ended.stdout);
    Deno.stderr.writeSync(ended.stderr);
    return ended;
  });
Deno.exit(code);
