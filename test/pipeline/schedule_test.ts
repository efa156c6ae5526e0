/** Stages start as soon as what they need has ended; a failure stops what needs it and nothing else. */

import assert from "node:assert/strict";
import * as fc from "fast-check";
import { parsePipeline } from "../../src/config/load.ts";
import { planPipeline } from "../../src/pipeline/plan.ts";
import { Schedule } from "../../src/pipeline/schedule.ts";
import type { Task } from "../../src/pipeline/select.ts";
import { withFiles } from "../support.ts";
import { smallPipeline } from "./fixture.ts";

/** text; two arms; an eval and a decode for each; a page. */
function tasksIn(run: string, skip: readonly string[] = []): Task[] {
  const config = smallPipeline(
    "arm.matrix={seed: [1, 2]}",
    "score.each=arm",
    "score.needs=[text]",
    "speed.each=arm",
    "speed.needs=[text]",
  );
  return planPipeline(config, run).map((stage) => ({
    stage,
    action: skip.includes(stage.config.id) ? "skip" : "run",
  }));
}

/** Starts what can start now. */
function startAll(schedule: Schedule): string[] {
  const started: string[] = [];
  for (let task = schedule.next(); task !== undefined; task = schedule.next()) {
    started.push(task.stage.config.id);
  }
  return started;
}

withFiles("one after another, in the order of the file", (run) => {
  const schedule = new Schedule(tasksIn(run), 1);
  const order: string[] = [];
  for (let task = schedule.next(); task !== undefined; task = schedule.next()) {
    order.push(task.stage.config.id);
    schedule.end(order.at(-1)!, "done");
  }
  assert.deepEqual(order, [
    "text",
    "arm-s1",
    "arm-s2",
    "score-s1",
    "score-s2",
    "speed-s1",
    "speed-s2",
    "page",
  ]);
});

withFiles("side by side, but a decode stage has the machine to itself", (run) => {
  const schedule = new Schedule(tasksIn(run), 2);
  assert.deepEqual(startAll(schedule), ["text"]);
  schedule.end("text", "done");
  assert.deepEqual(startAll(schedule), ["arm-s1", "arm-s2"]);
  schedule.end("arm-s1", "done");
  assert.deepEqual(startAll(schedule), ["score-s1"]);
  schedule.end("score-s1", "done");
  assert.deepEqual(startAll(schedule), []); // speed-s1 could, beside arm-s2 alone
  schedule.end("arm-s2", "done");
  assert.deepEqual(startAll(schedule), ["score-s2"]);
  schedule.end("score-s2", "done");
  assert.deepEqual(startAll(schedule), ["speed-s1"]);
});

withFiles(
  "what needs a failed stage is blocked, the rest goes on, and the page shows what there is",
  (run) => {
    const schedule = new Schedule(tasksIn(run, ["text"]), 4);
    assert.deepEqual(startAll(schedule), ["arm-s1", "arm-s2"]);
    schedule.end("arm-s1", "failed");
    schedule.end("arm-s2", "done");
    assert.deepEqual(startAll(schedule), ["score-s2"]);
    schedule.end("score-s2", "done");
    assert.deepEqual(startAll(schedule), ["speed-s2"]);
    schedule.end("speed-s2", "done");
    assert.deepEqual(startAll(schedule), ["page"]);
    schedule.end("page", "done");
    assert.deepEqual([...schedule.progress.values()], [
      "skipped",
      "failed",
      "done",
      "blocked",
      "done",
      "blocked",
      "done",
      "done",
    ]);
  },
);

withFiles(
  "whatever fails, in whatever order stages end, nothing starts before its needs and all come to an end",
  (run) => {
    const tasks = tasksIn(run);
    const needs = new Map(
      tasks.map(({ stage }) => [stage.config.id, stage.needs.map(({ config }) => config.id)]),
    );
    fc.assert(fc.property(fc.integer({ min: 1, max: 4 }), fc.infiniteStream(fc.nat(99)), (jobs, draws) => {
      const schedule = new Schedule(tasks, jobs);
      const running: string[] = [];
      for (;;) {
        for (const id of startAll(schedule)) {
          const states = needs.get(id)!.map((need) => schedule.progress.get(need)!);
          assert(id === "page" || states.every((state) => state === "done"), `${id}: ${states}`);
          assert(states.every((state) => state !== "running" && state !== "waiting"));
          running.push(id);
        }
        assert(running.length <= jobs);
        if (running.length === 0) break;
        const [ended] = running.splice(draws.next().value! % running.length, 1);
        schedule.end(ended!, draws.next().value! < 30 ? "failed" : "done");
      }
      const left = [...schedule.progress.values()].filter((state) =>
        state === "waiting" || state === "running"
      );
      assert.deepEqual(left, []);
    }));
  },
);

withFiles("a report about other runs needs no stage of its own", (run) => {
  const { stages } = parsePipeline(
    "name: x\nstages:\n  - { id: page, run: report, from: [{ run: /elsewhere }] }\n",
    "f.yaml",
    "/base",
  );
  const [stage] = planPipeline({ ...smallPipeline(), stages }, run);
  const schedule = new Schedule([{ stage: stage!, action: "run" }], 1);
  assert.deepEqual(startAll(schedule), ["page"]);
});

withFiles("nothing starts any more once a stage was stopped by itself", (run) => {
  const schedule = new Schedule(tasksIn(run, ["text"]), 2);
  assert.deepEqual(startAll(schedule), ["arm-s1", "arm-s2"]);
  schedule.end("arm-s1", "stopped");
  schedule.end("arm-s2", "done");
  assert.deepEqual(startAll(schedule), []);
  assert.equal(schedule.progress.get("score-s2"), "waiting");
});
