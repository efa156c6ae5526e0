/** A test that encodes or trains: it needs the text library, and not libtorch. */
import { native } from "../../src/text/native.ts";

const granted = Deno.permissions.querySync({ name: "ffi", path: "native/build" }).state === "granted";

/** Loads the library outside of the tests, where it may be: it stays open, which their sanitizer would call a leak. */
export function loadOutsideTests(): void {
  if (granted) native();
}

/** Ignored where the library may not be loaded. */
export function withText(name: string, body: () => void | Promise<void>): void {
  loadOutsideTests();
  Deno.test({ name, ignore: !granted, fn: body });
}
