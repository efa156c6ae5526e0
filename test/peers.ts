/** Tests that compare with public Python tools: they run where `deno task peers` has made the environment. */
import { peersPython } from "../scripts/peers.ts";
import { withFfi } from "./support.ts";

/** Runs a Python program with text on its standard input; returns its standard output. */
export type Python = (args: readonly string[], input: string) => Promise<string>;

const granted = (descriptor: Deno.PermissionDescriptor): boolean =>
  Deno.permissions.querySync(descriptor).state === "granted";

/** A test with the peers' Python. Without it, it is ignored and a sentence says so; in CI it fails. */
export function withPeers(name: string, body: (python: Python) => Promise<void>): void {
  const python = pythonOrNot();
  if (python !== undefined) return withFfi(name, () => body(runner(python)));
  const inCi = granted({ name: "env", variable: "CI" }) && Deno.env.get("CI") === "true";
  leftOut();
  Deno.test({
    name,
    ignore: !inCi,
    fn: () => {
      throw new Error("CI compares with the peers: run `deno task peers` before");
    },
  });
}

function pythonOrNot(): string | undefined {
  if (!granted({ name: "read", path: "native/build/peers" })) return undefined;
  const python = peersPython();
  return python !== undefined && granted({ name: "run", command: python }) ? python : undefined;
}

let told = false;
function leftOut(): void {
  if (told) return;
  told = true;
  // deno-lint-ignore no-console
  console.log(
    "comparisons with Python are ignored: `deno task peers` gets what they need, `deno task test` runs them",
  );
}

function runner(python: string): Python {
  return async (args, input) => {
    const command = new Deno.Command(python, {
      args: [...args],
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    });
    await using child = command.spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
    const { success, stdout, stderr } = await child.output();
    if (!success) throw new Error(`${python} ${args.join(" ")} failed: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  };
}
