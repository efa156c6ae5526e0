/** What the user typed for a pipeline file, and how a report says it. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { findPipelineFile, fromProject } from "../../src/pipeline/find.ts";
import { withFiles } from "../support.ts";

withFiles(
  "fromProject() gives a path that works in the project, absolute where it lies outside",
  (folder) => {
    assert.equal(fromProject(findPipelineFile("quickstart")), "pipelines/quickstart.yaml");
    assert.equal(fromProject(findPipelineFile("pipelines/quickstart.yaml")), "pipelines/quickstart.yaml");
    assert.equal(join(Deno.cwd(), fromProject(join(folder, "a.yaml"))), join(folder, "a.yaml"));
    assert.equal(fromProject("/elsewhere/../b.yaml"), "/b.yaml");
  },
);
