/** Proves what set-up finds, installs, builds, skips and says, with python3 and cmake played by a function. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { checkMachine, setUp, type Surroundings } from "../../scripts/setup.ts";
import { jobs } from "../../scripts/setup/build.ts";
import { inspect } from "../../scripts/setup/libtorch.ts";
import { pipError } from "../../scripts/setup/pip.ts";
import type { Ended } from "../../scripts/setup/program.ts";
import { withFiles } from "../support.ts";

/** A folder that looks like libtorch. */
function makeTorch(folder: string, version: string): string {
  const files = {
    "lib/libtorch_cpu.so": version,
    "lib/libc10.so": "",
    "include/ATen/ATen.h": "",
    "version.py": `__version__ = '${version}'\n`,
  };
  for (const [file, text] of Object.entries(files)) {
    Deno.mkdirSync(join(folder, file, ".."), { recursive: true });
    Deno.writeTextFileSync(join(folder, file), text);
  }
  return folder;
}

const OK: Ended = { ok: true, output: "" };

/** A project in a folder, and a machine around it whose answers a test may change. */
class World implements Surroundings {
  readonly native: string;
  readonly build: string;
  readonly said: string[] = [];
  /** Every program that was started, with its arguments. */
  readonly started: string[] = [];
  variables: { [name: string]: string } = {};
  python: { torch: string | null; driver: boolean } = { torch: null, driver: false };
  pip: (target: string, requirement: string) => Ended = (target) => {
    makeTorch(`${target}/torch`, "2.13.0+cpu");
    return OK;
  };
  configure: () => Ended = () => OK;
  compile: () => Ended = () => {
    for (const product of ["libforetoken.so", "libforetoken_text.so", "launch"]) {
      Deno.writeTextFileSync(`${this.build}/${product}`, product);
    }
    return OK;
  };
  tryShim = () => "cpu";
  readonly freeMemory = () => 8e9;

  constructor(folder: string) {
    this.native = join(folder, "native");
    this.build = join(this.native, "build");
    for (const part of ["kernels", "text"]) Deno.mkdirSync(`${this.native}/${part}`, { recursive: true });
    Deno.writeTextFileSync(`${this.native}/ops.cpp`, "// ops");
  }

  readonly say = (line: string) => void this.said.push(line);
  readonly env = (name: string) => this.variables[name];
  readonly run = (program: string, args: readonly string[]): Promise<Ended> => {
    this.started.push([program, ...args].join(" "));
    return Promise.resolve(this.#answer(program, args));
  };

  #answer(program: string, args: readonly string[]): Ended {
    if (program === "python3" && args[0] === "-c") {
      return {
        ok: true,
        output: `a warning\nPROBE ${JSON.stringify({ version: "3.12.1", ...this.python })}\n`,
      };
    }
    if (program === "python3") return this.pip(args[args.indexOf("--target") + 1]!, args.at(-1)!);
    if (args[0] === "-S") return this.configure();
    return args[0] === "--build" ? this.compile() : OK;
  }

  /** The arguments of each pip that was started. */
  get pips(): string[] {
    return this.started.filter((line) => line.includes(" -m pip "));
  }
}

/** A test in a fresh {@link World}. */
function inWorld(name: string, body: (world: World, folder: string) => Promise<void>): void {
  withFiles(name, (folder) => body(new World(folder), folder));
}

Deno.test("checkMachine() refuses other systems and processors in one sentence", () => {
  checkMachine({ os: "linux", arch: "x86_64" });
  assert.throws(
    () => checkMachine({ os: "darwin", arch: "aarch64" }),
    /Cannot set up on darwin \(aarch64\).*Linux on x86-64/,
  );
  assert.throws(() => checkMachine({ os: "linux", arch: "aarch64" }), { name: "UserError" });
});

Deno.test("jobs() starts as many compilers as cores and memory allow", () => {
  assert.equal(jobs(2, 20e9), 2);
  assert.equal(jobs(64, 4e9), 3);
  assert.equal(jobs(8, 0), 1);
});

Deno.test("pipError() names the cure for a missing pip and a full disk, and repeats pip's own errors else", () => {
  assert.match(pipError("/usr/bin/python3: No module named pip").message, /apt install python3-pip/);
  assert.match(pipError("OSError: [Errno 28] No space left on device").message, /no space left/);
  assert.match(
    pipError("noise\nERROR: connection refused\n").message,
    /it said:\n {2}ERROR: connection refused$/,
  );
});

withFiles("inspect() takes torch 2.11 to 2.14 and refuses others by their version", (folder) => {
  for (const version of ["2.11.0+cu130", "2.12.1", "2.13.0+cpu", "2.14.1"]) {
    assert.equal(inspect(makeTorch(`${folder}/${version}`, version)).version, version);
  }
  for (const version of ["2.10.9", "2.15.0", "3.0.0", "1.13.1"]) {
    assert.throws(() => inspect(makeTorch(`${folder}/${version}`, version)), {
      name: "UserError",
      message: new RegExp(`is version ${version.replaceAll(".", "\\.")}, and this needs 2\\.11 to 2\\.14`),
    });
  }
});

withFiles("inspect() reads the version of a libtorch archive, and names what is missing", (folder) => {
  const archive = makeTorch(folder, "2.12.0");
  Deno.removeSync(`${archive}/version.py`);
  assert.throws(() => inspect(archive), /does not say its version/);
  Deno.writeTextFileSync(`${archive}/build-version`, "2.12.0+cpu\n");
  assert.equal(inspect(archive).version, "2.12.0+cpu");
  Deno.removeSync(`${archive}/lib/libc10.so`);
  assert.throws(() => inspect(archive), /has no lib\/libc10\.so/);
});

inWorld("setUp() takes LIBTORCH before all others and does not ask python3", async (world, folder) => {
  world.variables.LIBTORCH = makeTorch(`${folder}/named`, "2.14.0");
  world.python.torch = makeTorch(`${folder}/active`, "2.13.0");
  await setUp(world);
  assert.match(world.said[0]!, /2\.14\.0, named by LIBTORCH/);
  assert.ok(!world.started.some((line) => line.startsWith("python3")));
});

inWorld("setUp() refuses a LIBTORCH that cannot be used, whatever else there is", async (world, folder) => {
  world.python.torch = makeTorch(`${folder}/active`, "2.13.0");
  world.variables.LIBTORCH = `${folder}/nowhere`;
  await assert.rejects(setUp(world), {
    name: "UserError",
    message: /LIBTORCH=".*nowhere": no such folder; set it/,
  });
  world.variables.LIBTORCH = makeTorch(`${folder}/old`, "2.9.1");
  await assert.rejects(setUp(world), { name: "UserError", message: /is version 2\.9\.1/ });
});

inWorld("setUp() takes the active python3's torch, and installs nothing", async (world, folder) => {
  world.python.torch = makeTorch(`${folder}/active`, "2.11.0+cu130");
  await setUp(world);
  assert.match(world.said[0]!, /2\.11\.0\+cu130, the torch of the active python3/);
  assert.deepEqual(world.pips, []);
});

inWorld(
  "setUp() passes over a python3's torch of another version, says so, and installs its own",
  async (world, folder) => {
    world.python.torch = makeTorch(`${folder}/active`, "2.9.1");
    await setUp(world);
    assert.match(world.said[0]!, /not the one of python3: .* is version 2\.9\.1/);
    assert.match(world.said.join("\n"), /2\.13\.0\+cpu, a copy of this project's own/);
  },
);

inWorld(
  "setUp() installs the CPU build alone without a driver, and with a driver what pip offers",
  async (world) => {
    await setUp(world);
    assert.equal(world.pips.length, 1);
    assert.match(world.pips[0]!, /--no-deps torch==2\.13\.0\+cpu$/);

    Deno.removeSync(world.build, { recursive: true });
    world.python.driver = true;
    await setUp(world);
    assert.match(world.pips[1]!, /--target \S+ torch==2\.13\.\*$/);
  },
);

inWorld(
  "setUp() asks PyTorch's index where pip's has no CPU build, then takes pip's own build",
  async (world) => {
    const whole = world.pip;
    world.pip = (target, requirement) =>
      requirement.endsWith("+cpu")
        ? { ok: false, output: "ERROR: No matching distribution found for torch==2.13.0+cpu" }
        : whole(target, requirement);
    await setUp(world);
    assert.deepEqual(world.pips.map((pip) => /--index-url/.test(pip)), [false, true, false]);
    world.pip = () => ({ ok: false, output: "ERROR: No matching distribution found" });
    Deno.removeSync(world.build, { recursive: true });
    await assert.rejects(
      setUp(world),
      /pip offers no torch 2\.11 to 2\.14 for Python 3\.12\.1; set FORETOKEN_TORCH_INDEX/,
    );
    const offline = "WARNING: Retrying after connection broken by 'NewConnectionError'";
    world.pip = () => ({ ok: false, output: `${offline}\nERROR: No matching distribution found` });
    await assert.rejects(setUp(world), /pip did not reach its index; set FORETOKEN_TORCH_INDEX/);
  },
);

inWorld("setUp() hands FORETOKEN_TORCH_INDEX to pip", async (world) => {
  world.variables.FORETOKEN_TORCH_INDEX = "https://example.org/whl";
  await setUp(world);
  assert.match(world.pips[0]!, /--index-url https:\/\/example\.org\/whl/);
});

inWorld("setUp() takes no half-finished download for a whole one, and recovers from it", async (world) => {
  const whole = world.pip;
  world.pip = (target) => {
    assert.notEqual(target, `${world.build}/pip`);
    Deno.mkdirSync(`${target}/torch/lib`, { recursive: true });
    Deno.writeTextFileSync(`${target}/torch/lib/libtorch_cpu.so`, "half");
    throw new Error("killed");
  };
  await assert.rejects(setUp(world), /killed/);
  world.pip = whole;
  await setUp(world);
  assert.equal(Deno.readTextFileSync(`${world.build}/pip/torch/lib/libtorch_cpu.so`), "2.13.0+cpu");
  assert.deepEqual([...Deno.readDirSync(world.build)].filter(({ name }) => name.includes("tmp")), []);
});

inWorld("setUp() starts no program when nothing changed", async (world) => {
  await setUp(world);
  world.started.length = 0;
  await setUp(world);
  assert.deepEqual(world.started, []);
  assert.match(world.said.at(-1)!, /nothing to do \(libtorch 2\.13\.0\+cpu, own copy\)/);
});

inWorld(
  "setUp() works again when a source, libtorch, a product or LIBTORCH changed",
  async (world, folder) => {
    await setUp(world);
    const changes: [string, () => void][] = [
      ["a source", () => Deno.writeTextFileSync(`${world.native}/ops.cpp`, "// changed")],
      ["a new kernel", () => Deno.writeTextFileSync(`${world.native}/kernels/rows.cpp`, "// new")],
      ["a new trainer", () => Deno.writeTextFileSync(`${world.native}/text/trainer.cpp`, "// new")],
      [
        "libtorch",
        () => Deno.writeTextFileSync(`${world.build}/pip/torch/lib/libtorch_cpu.so`, "another one"),
      ],
      ["the shim", () => Deno.removeSync(`${world.build}/libforetoken.so`)],
      ["the record", () => Deno.writeTextFileSync(`${world.build}/setup.json`, "{ cut o")],
      ["LIBTORCH", () => void (world.variables.LIBTORCH = makeTorch(`${folder}/named`, "2.14.0"))],
    ];
    for (const [what, change] of changes) {
      change();
      world.started.length = 0;
      await setUp(world);
      assert.ok(
        world.started.some((line) => line.startsWith("cmake --build")),
        `${what} changed, and nothing was built`,
      );
      await setUp(world);
      assert.match(world.said.at(-1)!, /nothing to do/);
    }
  },
);

inWorld(
  "setUp() says what to install when the compiler, make or memory is missing, and recovers",
  async (world) => {
    const [configure, compile] = [world.configure, world.compile];
    world.configure = () => ({ ok: false, output: "CMake Error: No CMAKE_CXX_COMPILER could be found." });
    await assert.rejects(setUp(world), {
      name: "UserError",
      message: /no working C\+\+ compiler .*apt install g\+\+/,
    });
    world.configure = () => ({
      ok: false,
      output: "CMake was unable to find a build program corresponding to",
    });
    await assert.rejects(setUp(world), /apt install make/);
    world.configure = configure;
    world.compile = () => ({
      ok: false,
      output: "c++: fatal error: Killed signal terminated program cc1plus",
    });
    await assert.rejects(setUp(world), /ran out of memory \(CMAKE_BUILD_PARALLEL_LEVEL=1/);
    world.compile = () => ({
      ok: false,
      output: "ops.cpp:1:1: error: no such thing\nmake: *** [all] Error 2",
    });
    await assert.rejects(setUp(world), (error: Error) => {
      assert.match(error.message, /ops\.cpp:1:1: error: no such thing$/);
      assert.match(Deno.readTextFileSync(`${world.build}/compile.log`), /make: \*\*\*/);
      return true;
    });
    world.compile = compile;
    await setUp(world);
    assert.match(world.said.at(-1)!, /device: +cpu/);
  },
);

inWorld("setUp() is not done while the shim does not load", async (world) => {
  world.tryShim = () => {
    throw new Error("undefined symbol");
  };
  await assert.rejects(setUp(world), /undefined symbol/);
  world.tryShim = () => "cpu";
  world.said.length = 0;
  await setUp(world);
  assert.match(world.said.at(-1)!, /device: +cpu/);
});

inWorld("two setUp() at once build once: the second waits and finds nothing to do", async (world) => {
  const second = Object.assign(Object.create(world), { said: [], say: (line: string) => later.push(line) });
  const later: string[] = [];
  await Promise.all([setUp(world), setUp(second as World)]);
  assert.equal(world.started.filter((line) => line.startsWith("cmake --build")).length, 1);
  assert.match(later[0]!, /waiting for another one/);
  assert.match(later[1]!, /nothing to do/);
});
