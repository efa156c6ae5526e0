/** The table in words says of each kind what the table that binds it gives. */

import assert from "node:assert/strict";
import { accessOf, TABLE } from "../../src/pipeline/permissions.ts";
import { NATIVE, permissionTable } from "../../src/pipeline/permission_table.ts";
import { findPlaces } from "../../src/pipeline/start.ts";
import { oneOfEachKind, smallPipeline } from "./fixture.ts";

Deno.test("permissionTable() has a row for each kind, in which nothing is said that a stage does not get", () => {
  const rows = new Map(permissionTable().map((row) => [row.kind, row]));
  assert.deepEqual([...rows.keys()], [...Object.keys(TABLE), "generate", "watch"]);
  const places = { ...findPlaces("/r"), run: "/r" };
  const judge = "score.generation.judge={endpoint: 'http://127.0.0.1:81/v1', model: m}";
  const stages = [...oneOfEachKind(81), ...smallPipeline(judge, "device=auto").stages];
  for (const kind of Object.keys(TABLE)) {
    const row = rows.get(kind)!;
    const accesses = stages.filter(({ run }) => run === kind).map((config) => accessOf(config, places));
    assert.equal(row.network !== "no", accesses.some(({ connect }) => connect.length > 0), kind);
    assert.equal(row.gpu !== "no", accesses.some(({ cuda }) => cuda), kind);
    const native = new Set(accesses.map((access) => access.native));
    assert.equal(row.native !== "no", native.size > 1 || !native.has("none"), kind);
    for (const name of native) assert(name === "none" || row.native.startsWith(NATIVE[name]), kind);
    assert(accesses.every(({ write }) => write.length === 1), kind);
  }
});

Deno.test("permissionTable() says that watching waits at a port and that continuing texts writes nothing", () => {
  const [generate, watch] = permissionTable().slice(-2);
  assert.deepEqual([generate!.writes, generate!.network, generate!.native], ["nothing", "no", "libtorch"]);
  assert.deepEqual([watch!.writes, watch!.native], ["nothing", "no"]);
  assert.match(watch!.network, /waits at one port/);
});
