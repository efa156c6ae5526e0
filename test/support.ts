/** How tests ask for what bare `deno test` does not have: files and the native shim. */
import { liveTensors, load } from "../src/torch/mod.ts";

const granted = (descriptor: Deno.PermissionDescriptor): boolean =>
  Deno.permissions.querySync(descriptor).state === "granted";

const files = granted({ name: "read", path: "." }) && granted({ name: "write", path: temporaryRoot() });
/** Whether the native shim may be loaded. */
export const ffi = files && granted({ name: "ffi", path: "native/build" });

let told = false;
/** Says once how to run what is left out. */
function leftOut(): void {
  if (told) return;
  told = true;
  // deno-lint-ignore no-console
  console.log("tests that need files or the native shim are ignored: `deno task test` runs them all");
}

/** The folder under which tests make their own: inside the project, so that one narrow permission serves. */
function temporaryRoot(): string {
  return "runs/.test";
}

/** A test with a fresh folder (absolute path), removed afterwards; ignored where files may not be written. */
export function withFiles(name: string, body: (folder: string) => void | Promise<void>): void {
  if (!files) leftOut();
  Deno.test({
    name,
    ignore: !files,
    fn: () => inFolder(body),
  });
}

/** Calls `body` with a fresh folder (absolute path), which is removed afterwards. */
export async function inFolder(body: (folder: string) => void | Promise<void>): Promise<void> {
  Deno.mkdirSync(temporaryRoot(), { recursive: true });
  const folder = Deno.realPathSync(Deno.makeTempDirSync({ dir: temporaryRoot() }));
  try {
    await body(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** A test that computes; it fails when a tensor outlives it. Ignored where the shim may not be loaded. */
export function withFfi(name: string, body: () => void | Promise<void>): void {
  if (ffi) load(); // outside the test: the libraries stay open, which its sanitizer would call a leak
  else leftOut();
  Deno.test({
    name,
    ignore: !ffi,
    fn: async () => {
      const before = liveTensors();
      await body();
      const after = liveTensors();
      if (after !== before) throw new Error(`${after - before} tensors outlived the test`);
    },
  });
}
