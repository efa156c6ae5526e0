/** Commands that show: a model's cost, a curriculum, a prepared text, the page that watches a run. */

import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { launch, LAUNCHER, withLauncher } from "../pipeline/launcher.ts";
import { behind, ENVIRONMENT, foretoken } from "./foretoken.ts";

withLauncher("foretoken model show prints the account of a pipeline's models and of presets", async () => {
  const [lines, json, preset, wrong] = await Promise.all([
    foretoken("model", "show", "quickstart", "--stage", "forward"),
    foretoken("model", "show", "quickstart", "--json"),
    foretoken("model", "show", "1.3b", "--heads", "2", "--vocab", "32000", "--json"),
    foretoken("model", "show", "1.4b"),
  ]);
  assert.match(lines.stdout, /^forward: [\d,]+ parameters/);
  const models = JSON.parse(json.stdout);
  assert.deepEqual(models.map(({ id, vocab }: { id: string; vocab: number }) => [id, vocab]), [
    ["ntp", 320],
    ["forward", 320],
  ]);
  assert.equal(models[1].flops_per_token.length, 4);
  const [large] = JSON.parse(preset.stdout);
  assert.deepEqual([large.width, large.layers, large.vocab, large.heads.count], [2048, 24, 32000, 2]);
  assert.equal(wrong.code, 2);
  assert.match(
    wrong.stderr,
    /^1\.4b: no such file, and no pipeline or preset of that name .*did you mean "1\.3b"\?\n$/,
  );
});

withLauncher("foretoken plan --json says the same as plan, for scripts", async (folder) => {
  const { stdout } = await foretoken("plan", "quickstart", "--runs", folder, "--json");
  const { name, stages } = JSON.parse(stdout);
  assert.equal(name, "quickstart");
  assert.deepEqual(
    stages.map((
      { id, state, connect }: { id: string; state: string; connect: string[] },
    ) => [id, state, connect]),
    ["text", "ntp", "forward", "eval", "decode", "report"].map((id) => [id, "new", []]),
  );
  assert.deepEqual(stages[1].write, [join(folder, "quickstart/ntp")]);
});

withLauncher("foretoken curriculum show draws those of a pipeline and presets", async () => {
  const [lines, json, wrong] = await Promise.all([
    foretoken("curriculum", "show", "forward", "--heads", "2", "--steps", "10"),
    foretoken(
      "curriculum",
      "show",
      "quickstart",
      "--stage",
      "forward",
      "--set",
      "forward.train.steps=8",
      "--json",
    ),
    foretoken("curriculum", "show", "forward", "--heads", "x"),
  ]);
  assert.match(lines.stdout, /^forward: forward, 2 heads, 10 steps/);
  const [{ phases }] = JSON.parse(json.stdout);
  assert.deepEqual(phases.map(({ from, to }: { from: number; to: number }) => [from, to]), [[0, 2], [2, 4], [
    4,
    6,
  ], [6, 8]]);
  assert.equal(wrong.code, 2);
  assert.match(
    wrong.stderr,
    /argument 'x' is invalid\. expected a whole number, at least 1\.\n\(foretoken curriculum show --help/,
  );
});

withLauncher("foretoken inspect shows the prepared text of a run", async (folder) => {
  const runs = ["--runs", relative(Deno.cwd(), folder)];
  const nothing = await foretoken("inspect", "quickstart", ...runs);
  assert.equal(nothing.code, 2);
  assert.match(nothing.stderr, /^quickstart: no such run; .* holds none\n$/);
  const prepared = await foretoken("prepare", "quickstart", ...runs, "--set", "text.bytes=3e5");
  assert.equal(prepared.code, 0, prepared.stderr);
  const [lines, json, wrong] = await Promise.all([
    foretoken("inspect", "quickstart", ...runs, "--samples", "1"),
    foretoken("inspect", join(folder, "quickstart/text"), "--json"),
    foretoken("inspect", "quickstart/txt", ...runs),
  ]);
  assert.equal(lines.code, 0, lines.stderr);
  assert.match(lines.stdout, /bytes of text in [\d,]+ documents/);
  assert.equal(JSON.parse(json.stdout).meta.format, "foretoken-shards");
  assert.match(
    wrong.stderr,
    /^quickstart has no prepare stage "txt": there is text: did you mean "text"\?\n$/,
  );
});

const mayConnect = Deno.permissions.querySync({ name: "net", host: "127.0.0.1" }).state === "granted";

if (mayConnect) {
  withLauncher("foretoken watch serves a page until it is stopped", async (folder) => {
    const runs = ["--runs", relative(Deno.cwd(), folder)];
    assert.equal((await foretoken("prepare", "quickstart", ...runs, "--set", "text.bytes=3e5")).code, 0);
    const child = new Deno.Command(LAUNCHER, {
      args: behind(["watch", "quickstart", "--port", "0", ...runs], "--bind", "0"),
      env: ENVIRONMENT,
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const lines = child.stderr.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
    const { value } = await lines.next();
    const address = /http:\/\/127\.0\.0\.1:\d+\//.exec(value ?? "")?.[0];
    assert(address !== undefined, value);
    const page = await (await fetch(address)).text();
    assert.match(page, /quickstart/);
    child.kill("SIGTERM");
    assert.equal((await child.status).code, 0);
    await lines.return?.();
  });
}

withLauncher("every command's --help has an example that begins with foretoken", async () => {
  const { stdout } = await foretoken("--help");
  const names = [...stdout.matchAll(/^ {2}([a-z]+) (?:\[|<| )/gm)].map(([, name]) => name!);
  const commands = [...new Set(names)].filter((name) => !["help", "foretoken"].includes(name));
  assert(commands.length >= 15, commands.join(" "));
  const helps = await Promise.all(
    [...commands.map((name) => [name]), ["model", "show"], ["curriculum", "show"]].map(async (words) => ({
      words,
      help: await launch(behind([...words, "--help"]), ENVIRONMENT),
    })),
  );
  for (const { words, help } of helps) {
    assert.equal(help.code, 0, words.join(" "));
    assert.match(help.stdout, /\nExamples?:\n {2}(foretoken|deno task) /, words.join(" "));
  }
});
