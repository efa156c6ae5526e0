/** How fast this machine reads memory (bandwidth.cpp). */
import { compiled } from "./compiled.ts";

/** Returns what measures it: bytes a second that so many threads read together, in about 0.1 s a call. */
export async function bandwidth(): Promise<(threads: number) => number> {
  const library = await compiled("bandwidth", ["-O3", "-march=native", "-pthread"]);
  const { symbols } = Deno.dlopen(library, {
    bytes_per_second: { parameters: ["i32"], result: "f64" },
  });
  symbols.bytes_per_second(1); // fills the array
  return (threads) => symbols.bytes_per_second(threads);
}
