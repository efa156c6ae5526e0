/** How far a download is, in one line. */

import assert from "node:assert/strict";
import { Meter, size } from "../../src/fetch/meter.ts";

Deno.test("size() has a unit that leaves one to three digits", () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [9_949, "9.9 kB"],
    [812_400, "812 kB"],
    [3.2e9, "3.2 GB"],
    [31e9, "31 GB"],
    [5e15, "5000 TB"],
  ];
  for (const [bytes, text] of cases) assert.equal(size(bytes), text);
});

Deno.test("the line counts what lay there already, but not in the speed", () => {
  let now = 0;
  const meter = new Meter(100e6, 3, () => now);
  meter.moved(40e6, false);
  meter.finished();
  assert.equal(meter.line(), "40 MB of 100 MB, 1 of 3 files, 0 B/s");
  now = 1000;
  meter.moved(10e6, true);
  assert.equal(meter.line(), "50 MB of 100 MB, 1 of 3 files, 10 MB/s, 5.00 s left");
});

Deno.test("the speed is that of the last ten seconds", () => {
  let now = 0;
  const meter = new Meter(1e9, 1, () => now);
  for (; now < 20_000; now += 500) meter.moved(10e6, true);
  for (; now < 40_000; now += 500) meter.moved(1e6, true);
  const speed = / (\d+(?:\.\d)?) MB\/s/.exec(meter.line())?.[1];
  assert(Math.abs(Number(speed) - 2) < 0.2, meter.line());
  meter.moved(-100e6, false); // thrown away
  assert.match(meter.line(), /^340 MB of 1\.0 GB, /);
});
