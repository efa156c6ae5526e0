/** Dependencies go one way: what each part of src/ may import, and what never reaches the native shim. */

import assert from "node:assert/strict";
import { dirname, join, normalize } from "node:path";
import { withFiles } from "./support.ts";

/** What the modules of a folder, or one file, may import besides their own folder. */
const ALLOWED: Record<string, readonly string[]> = {
  "cli.ts": ["cli", "stage"],
  cli: ["pipeline", "data", "model", "train", "text", "generate", "config", "formats", "stage"],
  "stage.ts": [
    "pipeline",
    "config",
    "formats",
    "stage",
    "torch",
    "data",
    "train",
    "eval",
    "decode",
    "report",
    "fetch",
    "exchange",
    "text",
  ],
  pipeline: ["train", "model", "config", "formats", "stage"],
  report: ["config", "formats", "stage"],
  watch: ["report", "config", "formats", "stage"],
  fetch: ["net", "config", "formats", "stage"],
  exchange: ["train", "model", "data", "text", "config", "formats", "stage"],
  generate: ["decode", "train", "data", "text", "model", "torch", "config", "formats", "stage"],
  decode: ["train", "data", "text", "model", "torch", "config", "formats", "stage"],
  eval: ["decode", "train", "data", "text", "model", "torch", "net", "config", "formats", "stage"],
  train: ["data", "text", "model", "torch", "config", "formats", "stage"],
  data: ["torch", "text", "config", "formats", "stage"],
  model: ["torch"],
  text: ["formats", "stage"],
  torch: [],
  net: ["stage"],
  config: ["stage"],
  formats: ["stage"],
  stage: [],
};

/** What runs without the permission to load native code. */
const WITHOUT_SHIM = [
  "src/cli.ts",
  "src/data/prepare.ts",
  "src/data/sources/worker.ts",
  "src/exchange/export.ts",
  "src/exchange/import.ts",
  "src/fetch/fetch.ts",
  "src/report/report.ts",
  "src/watch/main.ts",
];

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

Deno.test("importsOf() sees static, dynamic, type and re-exporting imports", () => {
  const source = `
    import "./a.ts"; import type { B } from "./b.ts"; import {
      C,
    } from "./c.ts";
    export * from "./d.ts"; export type { E } from "./e.ts"; const f = await import("./f.ts");
    // import "./no.ts";
    /* import "./no.ts" */ type G = import("./g.ts").G; import * as zod from "zod";
  `;
  const found = importsOf("src/x/y.ts", source);
  assert.deepEqual(found.map(({ to }) => to.slice(6, -3)).sort(), ["a", "b", "c", "d", "e", "f", "g"]);
  assert.deepEqual(found.filter(({ typeOnly }) => typeOnly).map(({ to }) => to.slice(6, -3)), [
    "b",
    "e",
    "g",
  ]);
});

withFiles("every import in src/ goes down the layers", () => {
  for (const { from, to } of allImports()) {
    const [layer, target] = [layerOf(from), layerOf(to)];
    if (layer === target) continue;
    assert(ALLOWED[layer], `${from}: a part of src/ that test/layers_test.ts does not know`);
    assert(ALLOWED[layer].includes(target), `${from} may not import ${to}`);
  }
});

withFiles("no module imports itself through others", () => {
  const edges = graph(allImports().filter(({ typeOnly }) => !typeOnly));
  const finished = new Set<string>();
  const visit = (file: string, above: readonly string[]): void => {
    assert(!above.includes(file), `circular: ${[...above.slice(above.indexOf(file)), file].join(" -> ")}`);
    if (finished.has(file)) return;
    for (const next of edges.get(file) ?? []) visit(next, [...above, file]);
    finished.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
});

withFiles("the command line and stages that do not compute never reach the native shim", () => {
  const edges = graph(allImports().filter(({ typeOnly }) => !typeOnly));
  for (const start of WITHOUT_SHIM) {
    const reached = new Set([start]);
    for (const file of reached) for (const next of edges.get(file) ?? []) reached.add(next);
    const native = [...reached].filter((file) => layerOf(file) === "torch");
    assert.deepEqual(native, [], `${start} reaches ${native[0]}`);
  }
});

withFiles("src/stage.ts loads a stage only when it runs it", () => {
  const source = withoutComments(Deno.readTextFileSync("src/stage.ts"));
  for (const statement of source.matchAll(/^import (?!type)[^;]*?from "([^"]+)"/gm)) {
    assert.doesNotMatch(statement[1]!, /\/(data|train|eval|decode|report|fetch|exchange|text|torch)\//);
  }
});

function allImports(): Import[] {
  return [...sourceFiles("src")].flatMap((file) => importsOf(file, Deno.readTextFileSync(file)));
}

function* sourceFiles(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* sourceFiles(join(folder, name));
    else if (name.endsWith(".ts")) yield join(folder, name);
  }
}

/** Imports of the project's own files; an import with a computed name would hide, and fails. */
function importsOf(from: string, source: string): Import[] {
  const text = withoutComments(source);
  assert.doesNotMatch(text, /\bimport\((?!\s*")/, `${from}: import() of a computed name`);
  const statements = [...text.matchAll(/\b(import|export)\s+(type\s)?[^;"'()]*?\bfrom\s*"([^"]+)"/g)]
    .map(([, , type, to]) => ({ to: to!, typeOnly: type !== undefined }));
  const bare = [...text.matchAll(/\bimport\s*"([^"]+)"/g)].map(([, to]) => ({ to: to!, typeOnly: false }));
  const dynamic = [...text.matchAll(/(\bawait\s+|=>\s*|\[\s*|,\s*)?\bimport\(\s*"([^"]+)"/g)]
    .map(([, before, to]) => ({ to: to!, typeOnly: before === undefined })); // a type: import("./a.ts").A
  return [...statements, ...bare, ...dynamic]
    .filter(({ to }) => to.startsWith("."))
    .map(({ to, typeOnly }) => ({ from, to: normalize(join(dirname(from), to)), typeOnly }));
}

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/(^|[^:"'`])\/\/[^\n]*/g, "$1");
}

function layerOf(file: string): string {
  return file.split("/")[1]!;
}

function graph(imports: readonly Import[]): Map<string, string[]> {
  const edges = new Map<string, string[]>();
  for (const { from, to } of imports) edges.set(from, [...edges.get(from) ?? [], to]);
  return edges;
}
