/** Every pipeline that is shipped is right. */

import assert from "node:assert/strict";
import { parsePipeline } from "../../src/config/load.ts";
import { withFiles } from "../support.ts";

withFiles("every file in pipelines/ parses, and is named as it names itself", () => {
  const names = [...Deno.readDirSync("pipelines")].map(({ name }) => name);
  assert(names.includes("quickstart.yaml"));
  for (const name of names) {
    const file = `pipelines/${name}`;
    const pipeline = parsePipeline(Deno.readTextFileSync(file), file, "/base");
    assert.equal(`${pipeline.name}.yaml`, name);
  }
});

withFiles("every key in pipelines/ has a comment", () => {
  for (const { name } of Deno.readDirSync("pipelines")) {
    const seen = new Set<string>();
    for (const line of Deno.readTextFileSync(`pipelines/${name}`).split("\n")) {
      const [, key, rest] = /^[ -]*(\w+):(.*)$/.exec(line) ?? [];
      // What has no value of its own, links, and what stands above with its comment, explains itself.
      const isPlain = key === undefined || /^\s*([&*{[].*)?$/.test(rest!) || seen.has(key);
      if (key !== undefined) seen.add(key);
      const explained = isPlain || /#/.test(rest!) || ["run"].includes(key);
      assert(explained, `pipelines/${name}: "${line.trim()}" has no comment`);
    }
  }
});
