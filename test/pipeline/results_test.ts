/** From what the user typed to a run or a stage that is there, or to a sentence that names what is. */

import assert from "node:assert/strict";
import { join } from "node:path";
import type { StageKind } from "../../src/config/schema.ts";
import { findRun, findStage } from "../../src/pipeline/results.ts";
import { UsageError } from "../../src/stage/errors.ts";
import { withFiles } from "../support.ts";

/** A runs folder with these stages, `run/stage: kind`. */
function put(folder: string, stages: Record<string, StageKind>): void {
  for (const [path, run] of Object.entries(stages)) {
    Deno.mkdirSync(join(folder, path), { recursive: true });
    Deno.writeTextFileSync(join(folder, path, "stage.json"), JSON.stringify({ id: path.split("/")[1], run }));
  }
}

const STAGES = {
  "books/text": "prepare",
  "books/ntp": "train",
  "books/mtp": "train",
  "pile/fetch": "fetch",
} as const;

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    assert(error instanceof UsageError);
    return error.message;
  }
  assert.fail("it was found");
}

withFiles("findRun() takes a run's name or its folder, and names the runs there are", (runs) => {
  put(runs, STAGES);
  assert.equal(findRun("books", runs).folder, join(runs, "books"));
  assert.deepEqual(findRun(join(runs, "pile"), "elsewhere").stages, [{ id: "fetch", run: "fetch" }]);
  assert.equal(
    refusal(() => findRun("boks", runs)),
    'boks: no such run; there is books, pile: did you mean "books"?',
  );
  assert.equal(
    refusal(() => findRun("x", join(runs, "no"))),
    `x: no such run; ${join(runs, "no")} holds none`,
  );
});

withFiles("findStage() takes run/stage, a folder, or a run with one such stage", (runs) => {
  put(runs, STAGES);
  assert.equal(findStage("books/ntp", "train", runs), join(runs, "books/ntp"));
  assert.equal(findStage(join(runs, "books/ntp"), "train", "elsewhere"), join(runs, "books/ntp"));
  assert.equal(findStage("books", "prepare", runs), join(runs, "books/text"));
  assert.equal(refusal(() => findStage("books", "train", runs)), "books: choose one of books/mtp, books/ntp");
  assert.equal(refusal(() => findStage("pile", "train", runs)), "pile: it has no train stage");
  assert.equal(
    refusal(() => findStage("books/nt", "train", runs)),
    'books has no train stage "nt": there is mtp, ntp: did you mean "ntp"?',
  );
  assert.match(refusal(() => findStage("text", "prepare", runs)), /^text: no such run; there is books, pile/);
  assert.match(
    refusal(() => findStage("nobody/x", "train", runs)),
    /^nobody: no such run; there is books, pile/,
  );
});
