/**
 * `deno task peers`: a git-ignored Python environment with the public tools that tests and benchmarks compare with.
 * Nothing else needs it. Its torch has the version of the shim's; one that set-up found is used, not fetched again.
 */
import { dirname } from "node:path";
import { EXIT, UserError } from "../src/stage/errors.ts";
import { Terminal } from "../src/stage/terminal.ts";
import { exists } from "./setup/paths.ts";
import { PIP_ENVIRONMENT, PIP_OPTIONS, pipError } from "./setup/pip.ts";
import { lastLines, type RunProgram, runProgram } from "./setup/program.ts";
import { read } from "./setup/record.ts";

const BUILD = decodeURIComponent(new URL("../native/build", import.meta.url).pathname);
/** Written last: where it says what is wanted, the environment is whole. */
const COMPLETE = "peers/complete.json";

/** What is compared with. */
const PACKAGES = ["numpy", "safetensors", "transformers", "tokenizers", "tensorboard", "sacrebleu"];
/** Compared with where pip finds it: there is no wheel of it, and some mirrors have wheels only. */
const WITHOUT_WHEEL = ["rouge-score"];
/** What `import torch` needs; set-up's own copy comes without. */
const BESIDE_TORCH = ["filelock", "typing-extensions", "sympy", "networkx", "jinja2", "fsspec", "setuptools"];

/** The python of a whole environment (absolute path), or undefined: then say that `deno task peers` makes it. */
export function peersPython(): string | undefined {
  return completed(BUILD) === undefined ? undefined : `${BUILD}/peers/bin/python`;
}

function completed(build: string): string | undefined {
  try {
    return Deno.readTextFileSync(`${build}/${COMPLETE}`);
  } catch (error) {
    // Not permitted: a test run without flags, for which there are no peers.
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

/** Makes the environment under `build`, unless it is there. Throws {@link UserError} where that cannot be. */
export async function makePeers(build: string, run: RunProgram, say: (line: string) => void): Promise<void> {
  const folder = `${build}/peers`;
  const libtorch = read(build)?.libtorch;
  if (!libtorch) throw new UserError("Set-up has not come to its end: run `deno task setup`");
  const wanted = JSON.stringify({ torch: libtorch.version, folder: libtorch.folder, packages: PACKAGES });
  if (completed(build) === wanted) return say(`peers: there already (torch ${libtorch.version})`);

  const started = performance.now();
  const python = async (program: string, ...args: string[]) => {
    const { ok, output } = await run(program, args, PIP_ENVIRONMENT);
    if (!ok) throw args.includes("pip") ? pipError(output) : new UserError(lastLines(output, 5));
    return output.trim();
  };
  // --clear: what is left of a cut-off run. --without-pip: Debian's python3 has no ensurepip, and any pip can install
  // into any folder.
  await python("python3", "-m", "venv", "--clear", "--without-pip", folder);
  const site = sitePackages(folder);

  const isPackage = exists(`${libtorch.folder}/__init__.py`);
  const torch = isPackage ? [] : [`torch==${libtorch.version}`];
  if (isPackage) Deno.writeTextFileSync(`${site}/torch.pth`, `${dirname(libtorch.folder)}\n`);
  const packages = [...PACKAGES, ...BESIDE_TORCH, ...torch];
  say(`peers: installing ${packages.join(", ")} into native/build/peers`);
  const install = ["-m", "pip", "install", ...PIP_OPTIONS, "--target", site];
  await python("python3", ...install, ...packages);
  for (const name of WITHOUT_WHEEL) {
    const { ok } = await run("python3", [...install, name], PIP_ENVIRONMENT);
    if (!ok) say(`peers: pip finds no ${name} here; its values in test/golden stand in for it`);
  }

  const imports = ["torch", ...PACKAGES].join(", ");
  const version = await python(`${folder}/bin/python`, "-c", `import ${imports}; print(torch.__version__)`);
  if (version.split("\n").at(-1) !== libtorch.version) {
    throw new UserError(
      `The peers' torch is ${version} and the shim's ${libtorch.version}: run \`deno task setup\``,
    );
  }
  Deno.writeTextFileSync(`${build}/${COMPLETE}`, wanted);
  say(`peers: torch ${libtorch.version} and ${PACKAGES.join(", ")}, in ${seconds(started)} s`);
}

function sitePackages(folder: string): string {
  const [version] = [...Deno.readDirSync(`${folder}/lib`)];
  return `${folder}/lib/${version!.name}/site-packages`;
}

const seconds = (started: number) => ((performance.now() - started) / 1000).toFixed(0);

if (import.meta.main) {
  const terminal = new Terminal();
  try {
    await makePeers(BUILD, runProgram, (line) => terminal.log(line));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    terminal.log(error.message);
    Deno.exit(EXIT.failed);
  }
}
