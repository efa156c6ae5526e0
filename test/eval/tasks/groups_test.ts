/** Proves what is read and chosen: every kind of file, whatever the machine the same items, and a sentence where one is damaged. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import type { TaskConfig } from "../../../src/config/schema.ts";
import { loadTask, type NamedTask, parseTask } from "../../../src/config/task/load.ts";
import { groupsOf } from "../../../src/eval/tasks/groups.ts";
import type { Pair } from "../../../src/eval/tasks/items.ts";
import { UserError } from "../../../src/stage/errors.ts";
import { withFiles } from "../../support.ts";

const pair = (i: number) => ({ sentence_good: `good ${i}`, sentence_bad: `bad ${i}` });
const pairs = (count: number) => Array.from({ length: count }, (_, i) => pair(i));
const lines = (records: readonly object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join("");

const blimp = (given: Partial<TaskConfig> & { data: string | string[] }, seed = 1) =>
  groupsOf(loadTask("blimp"), { task: "blimp", ...given }, seed);

async function refused(promise: Promise<unknown>, folder: string): Promise<string> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return error.message.replaceAll(folder, "");
  }
  throw new Error("it was taken");
}

withFiles(
  "groupsOf() reads JSON Lines, packed ones and Parquet alike; a file is a group of BLiMP",
  async (folder) => {
    const text = lines(pairs(3));
    Deno.writeTextFileSync(join(folder, "a.jsonl"), `\n${text}\n`);
    Deno.writeFileSync(join(folder, "b.jsonl.gz"), gzipSync(text));
    const columnData = Object.keys(pair(0)).map((name) => ({
      name,
      data: pairs(3).map((record) => record[name as keyof typeof record]),
    }));
    Deno.writeFileSync(join(folder, "c.parquet"), new Uint8Array(parquetWriteBuffer({ columnData })));
    Deno.writeTextFileSync(join(folder, "README.md"), "about the data");
    const groups = await blimp({ data: folder });
    assert.deepEqual(groups.map(({ name }) => name), ["a", "b", "c"]);
    for (const { items } of groups) {
      assert.deepEqual(
        items,
        pairs(3).map((one) => ({ form: "pair", good: one.sentence_good, bad: one.sentence_bad })),
      );
    }
  },
);

withFiles(
  "groupsOf() takes as many items as asked, in the file's order, the seed deciding which",
  async (folder) => {
    const data = join(folder, "a.jsonl");
    Deno.writeTextFileSync(data, lines(pairs(500)));
    const numbers = async (limit?: number | "all", seed = 1) => {
      const [group] = await blimp({ data, ...(limit === undefined ? {} : { limit }) }, seed);
      return group!.items.map((item) => Number((item as Pair).good.split(" ")[1]));
    };
    const some = await numbers(40);
    assert.equal(new Set(some).size, 40);
    assert.deepEqual(some, some.toSorted((a, b) => a - b));
    assert.ok(some.at(-1)! > 400, "from all over the file");
    assert.deepEqual(await numbers(40), some);
    assert.notDeepEqual(await numbers(40, 2), some);
    assert.equal((await numbers()).length, 100, "BLiMP's default");
    assert.equal((await numbers("all")).length, 500);
    assert.equal((await numbers(501)).length, 500);
  },
);

withFiles("groupsOf() tells records apart by what a template gives", async (folder) => {
  const data = join(folder, "a.jsonl");
  Deno.writeTextFileSync(
    data,
    lines(pairs(4).map((one, i) => ({ ...one, field: i % 2 === 0 ? "even" : "odd" }))),
  );
  const task = {
    ...parseTask(
      'about: a\nsource: b\nform: pair\ngood: "{sentence_good}"\nbad: "{sentence_bad}"\ngroup: "{field}"\n',
      "x",
    ),
    name: "mine",
  } as NamedTask;
  const groups = await groupsOf(task, { task: "mine.yaml", data }, 1);
  assert.deepEqual(groups.map(({ name, items }) => [name, items.length]), [["even", 2], ["odd", 2]]);
});

withFiles("damaged, empty and missing files are refused by name and line", async (folder) => {
  const file = join(folder, "a.jsonl");
  const withText = async (text: string | Uint8Array, name = "a.jsonl", labels?: string) => {
    Deno.writeFileSync(join(folder, name), typeof text === "string" ? new TextEncoder().encode(text) : text);
    return await refused(
      blimp({ data: join(folder, name), ...(labels === undefined ? {} : { labels }) }),
      folder,
    );
  };
  const [first, second] = lines(pairs(2)).split("\n");
  assert.match(
    await withText(`${first}\n${second!.slice(0, 20)}`),
    /^Cannot read "\/a\.jsonl" line 2: not valid JSON/,
  );
  assert.equal(await withText(`${first}\n[1]\n`), 'Cannot read "/a.jsonl" line 2: not a JSON object');
  assert.equal(await withText("\n"), 'Cannot use "/a.jsonl": there is no record in it');
  assert.match(
    await withText(gzipSync(lines(pairs(9))).subarray(0, 60), "a.jsonl.gz"),
    /"\/a\.jsonl\.gz": gzip data .*cut short/,
  );
  assert.match(
    await withText("PAR1", "a.parquet"),
    /^Cannot read "\/a\.parquet": it is no Parquet file, or damaged/,
  );
  assert.equal(
    await withText("x", "a.txt"),
    'Cannot use "/a.txt": records are read from .jsonl and .parquet only',
  );
  assert.equal(
    await refused(blimp({ data: join(folder, "no.jsonl") }), folder),
    'Cannot read "/no.jsonl": there is no such file or folder',
  );
  Deno.writeTextFileSync(join(folder, "labels.lst"), "0\n1\n1\n");
  assert.match(
    await withText(lines(pairs(2)), "a.jsonl", join(folder, "labels.lst")),
    /^Cannot use the labels "\/labels\.lst": 3 lines for 2 records in 1 files/,
  );
  assert.equal(
    await refused(groupsOf(loadTask("blimp"), { task: "blimp" }, 1), folder),
    "Cannot evaluate blimp: missing data: blimp needs the files of alexwarstadt/blimp (CC BY 4.0)",
  );
  Deno.removeSync(file);
});

Deno.test("a task of an unknown probe, or with data beside it, is refused", async () => {
  const task = {
    ...parseTask("about: a\nsource: b\nform: pair\nmade_up: no_such_probe\n", "x"),
    name: "mine",
  };
  await assert.rejects(groupsOf(task, { task: "mine.yaml" }, 1), {
    name: "UserError",
    message: /^Cannot evaluate mine: there is no probe "no_such_probe", there are /,
  });
  await assert.rejects(groupsOf(task, { task: "mine.yaml", data: "x" }, 1), {
    message: "Cannot evaluate mine: the items of mine are made up: it takes no data",
  });
});
