/** A lock is held by one at a time and says by whom. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../src/stage/errors.ts";
import { Lock } from "../../src/stage/lock.ts";
import { withFiles } from "../support.ts";

withFiles("Lock.take() refuses while another holds the lock, and names its process", (folder) => {
  const path = join(folder, "lock");
  {
    using _held = Lock.take(path, "The run");
    assert.throws(() => Lock.take(path, "The run"), (error) => {
      assert(error instanceof UserError);
      const [, pid] = /^The run is in use by process (\d+) since 20.*: wait for it to end, or end it$/
        .exec(error.message) ?? [];
      assert.equal(Number(pid), Deno.pid);
      return true;
    });
  }
  using _again = Lock.take(path, "The run");
});

withFiles("Lock.take() takes over what a killed process left behind", (folder) => {
  const path = join(folder, "lock");
  Deno.writeTextFileSync(
    path,
    "process 1 since long ago, with a text longer than what comes after it\n".repeat(3),
  );
  using _lock = Lock.take(path, "The run");
  assert.match(Deno.readTextFileSync(path), new RegExp(`^process ${Deno.pid} since [^ ]+\n$`));
});
