/** A test that encodes or trains: it needs the text library, and not libtorch. */
import { native } from "../../src/text/native.ts";

const granted = Deno.permissions.querySync({ name: "ffi", path: "native/build" }).state === "granted";

/** Ignored where the library may not be loaded. */
export function withText(name: string, body: () => void | Promise<void>): void {
  if (granted) native(); // outside the test: the library stays open, which its sanitizer would call a leak
  Deno.test({ name, ignore: !granted, fn: body });
}
