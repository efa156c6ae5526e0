/** Event files against the published check value of the CRC, and as Python's TensorBoard reads them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { crc32c, fileVersion, scalars, sessionStart } from "../../src/formats/tfevents.ts";
import { withPeers } from "../peers.ts";
import { inFolder } from "../support.ts";

Deno.test("crc32c() has the check value of the Castagnoli polynomial", () => {
  assert.equal(crc32c(new TextEncoder().encode("123456789")), 0xe3069283);
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa); // RFC 3720, B.4
});

Deno.test("a record is its length, its data, and a CRC of each", () => {
  const record = fileVersion(1.5);
  const length = Number(new DataView(record.buffer).getBigUint64(0, true));
  assert.equal(record.length, length + 16);
  assert.deepEqual([...record.subarray(12, 21)], [9, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f]); // field 1, 1.5 as a double
});

/** Prints what TensorBoard's reader makes of a folder: tag to [step, value] pairs. */
const READ = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
events.Reload()
print(json.dumps({tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}))
`;

withPeers(
  "TensorBoard reads scalars, and a session that starts again drops what it repeats",
  (python) =>
    inFolder(async (folder) => {
      const first = [
        fileVersion(100),
        sessionStart(100, 1),
        ...[1, 2, 3, 4].map((step) =>
          scalars(100 + step, step, [["loss/head_1", step / 3], ["lr", 1e-4 * step]])
        ),
        scalars(105, 300_000_000_000, [["far/äöü", -2]]),
      ];
      const second = [fileVersion(200), sessionStart(200, 3), scalars(201, 3, [["loss/head_1", 30]])];
      const write = (name: string, records: Uint8Array[]) =>
        Deno.writeFileSync(join(folder, name), new Uint8Array(records.flatMap((record) => [...record])));
      write("events.out.tfevents.100.foretoken", first);
      write("events.out.tfevents.200.foretoken", second);
      const read = JSON.parse(await python(["-c", READ, folder], ""));
      const third = Math.fround(1 / 3), twoThirds = Math.fround(2 / 3);
      assert.deepEqual(read["loss/head_1"], [[1, third], [2, twoThirds], [3, 30]]);
      assert.deepEqual(read.lr, [[1, Math.fround(1e-4)], [2, Math.fround(2e-4)]]);
      assert.deepEqual(read["far/äöü"] ?? [], []);
      Deno.removeSync(join(folder, "events.out.tfevents.200.foretoken"));
      const whole = JSON.parse(await python(["-c", READ, folder], ""));
      assert.deepEqual(whole["far/äöü"], [[300_000_000_000, -2]]);
    }),
);
