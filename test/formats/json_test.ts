/** What is no JSON ends in a sentence that names the place. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { parseJson, readJson } from "../../src/formats/json.ts";
import { withFiles } from "../support.ts";

Deno.test("parseJson() gives the value, or names the place that is no JSON", () => {
  assert.deepEqual(parseJson('{"a": [1]}', "line 1"), { a: [1] });
  assert.throws(() => parseJson("{", "line 2"), {
    name: "UserError",
    message: /^Cannot read line 2: not valid JSON \(.+\)$/,
  });
});

withFiles("readJson() names a file that is missing or damaged, and what to do", (folder) => {
  const path = join(folder, "a.json");
  const refused = (message: RegExp) =>
    assert.throws(() => readJson(path, "make it again"), { name: "UserError", message });
  refused(/^Cannot read ".*a\.json": no such file or directory; make it again$/);
  Deno.writeTextFileSync(path, '{"a": ');
  refused(/^Cannot read ".*a\.json": not valid JSON \(.*\); make it again$/);
  Deno.writeTextFileSync(path, '{"a": 1}');
  assert.deepEqual(readJson(path, "make it again"), { a: 1 });
});
