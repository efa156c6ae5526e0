/** Proves when the peers' environment is made, skipped and made again, with python3 played by a function. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { makePeers } from "../../scripts/peers.ts";
import type { Ended, RunProgram } from "../../scripts/setup/program.ts";
import { withFiles } from "../support.ts";

/** A native/build after set-up, and a python3 that makes environments. */
class World {
  readonly build: string;
  readonly torch: string;
  readonly said: string[] = [];
  readonly started: string[] = [];
  pip: (args: readonly string[]) => Ended = () => ({ ok: true, output: "" });

  constructor(folder: string) {
    this.build = join(folder, "build");
    this.torch = join(folder, "site/torch");
    Deno.mkdirSync(this.build);
    Deno.mkdirSync(this.torch, { recursive: true });
    Deno.writeTextFileSync(`${this.torch}/__init__.py`, "");
    this.setUp("2.13.0+cpu");
  }

  setUp(version: string): void {
    const libtorch = { folder: this.torch, version, foundBy: "python3" };
    Deno.writeTextFileSync(`${this.build}/setup.json`, JSON.stringify({ libtorch }));
  }

  make(torchVersion = "2.13.0+cpu"): Promise<void> {
    const run: RunProgram = (program, args) => {
      this.started.push([program, ...args].join(" "));
      if (args.includes("venv")) {
        Deno.mkdirSync(`${args.at(-1)}/lib/python3.12/site-packages`, { recursive: true });
      }
      if (args.includes("pip")) return Promise.resolve(this.pip(args));
      return Promise.resolve({ ok: true, output: args[0] === "-c" ? `${torchVersion}\n` : "" });
    };
    return makePeers(this.build, run, (line) => this.said.push(line));
  }

  get pips(): string[] {
    return this.started.filter((line) => line.includes(" -m pip "));
  }
}

withFiles("makePeers() asks for set-up first", async (folder) => {
  const world = new World(folder);
  Deno.removeSync(`${world.build}/setup.json`);
  await assert.rejects(world.make(), { name: "UserError", message: /run `deno task setup`/ });
});

withFiles(
  "makePeers() points to the torch that set-up found, does not fetch it again, and is done once",
  async (folder) => {
    const world = new World(folder);
    await world.make();
    assert.doesNotMatch(world.pips[0]!, / torch/);
    const link = Deno.readTextFileSync(`${world.build}/peers/lib/python3.12/site-packages/torch.pth`);
    assert.equal(link, `${join(folder, "site")}\n`);

    world.started.length = 0;
    await world.make();
    assert.deepEqual(world.started, []);
    assert.match(world.said.at(-1)!, /there already/);
  },
);

withFiles("makePeers() fetches a Python torch of the version where set-up's is none", async (folder) => {
  const world = new World(folder);
  Deno.removeSync(`${world.torch}/__init__.py`);
  await world.make();
  assert.match(world.pips[0]!, / torch==2\.13\.0\+cpu$/);
});

withFiles("makePeers() starts over after a failed one, and when set-up's torch changed", async (folder) => {
  const world = new World(folder);
  const works = world.pip;
  world.pip = () => ({ ok: false, output: "ERROR: connection refused" });
  await assert.rejects(world.make(), { name: "UserError", message: /connection refused/ });
  assert.equal(world.pips.length, 1);
  world.pip = works;
  await world.make();
  assert.equal(world.pips.length, 3);

  world.setUp("2.14.0");
  await world.make("2.14.0");
  assert.equal(world.pips.length, 5);
});

withFiles("makePeers() refuses a torch of another version than the shim's", async (folder) => {
  const world = new World(folder);
  await assert.rejects(world.make("2.12.0"), {
    name: "UserError",
    message: /peers' torch is 2\.12\.0 and the shim's 2\.13/,
  });
});

withFiles("makePeers() does without a package that has no wheel, and says so", async (folder) => {
  const world = new World(folder);
  world.pip = (args) => ({ ok: !args.includes("rouge-score"), output: "No matching distribution" });
  await world.make();
  assert.ok(
    world.said.includes("peers: pip finds no rouge-score here; its values in test/golden stand in for it"),
  );
  world.started.length = 0;
  await world.make();
  assert.deepEqual(world.started, []);
});
