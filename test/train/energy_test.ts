/** Joules of a training, from files as Linux shows them. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { type Counter, cpuEnergy, gpuEnergy } from "../../src/torch/mod.ts";
import { EnergyMeter, inFull, metersOf } from "../../src/train/energy.ts";
import { ffi, inFolder, withFfi } from "../support.ts";

/** A zone as RAPL's driver shows it. */
function zone(root: string, i: number, name: string, microjoules: number | null): void {
  const folder = join(root, `intel-rapl:${i}`);
  Deno.mkdirSync(folder, { recursive: true });
  const put = (file: string, text: string) => Deno.writeTextFileSync(join(folder, file), `${text}\n`);
  put("name", name);
  put("max_energy_range_uj", "262143328850");
  if (microjoules !== null) put("energy_uj", String(microjoules));
}

withFfi("cpuEnergy() reads each package, and nothing that has packages in it", async () => {
  await inFolder((root) => {
    assert.deepEqual(cpuEnergy(root), []);
    zone(root, 0, "package-0", 1_500_000);
    zone(root, 1, "psys", 9_000_000);
    zone(root, 2, "package-1", 262_143_000_000);
    const range = 262_143.32885;
    assert.deepEqual(cpuEnergy(root), [{ joules: 1.5, range }, { joules: 262_143, range }]);
  });
});

withFfi("cpuEnergy() reads no part of the packages: one that root alone may read hides all", async () => {
  await inFolder((root) => {
    zone(root, 0, "package-0", 1_500_000);
    zone(root, 1, "package-1", null);
    assert.deepEqual(cpuEnergy(root), []);
  });
});

withFfi("gpuEnergy() has none of the CPU's", () => {
  assert.equal(gpuEnergy("cpu"), null);
});

withFfi("metersOf() names what this machine shows, and where it shows nothing is null", () => {
  const meters = metersOf("cpu");
  if (cpuEnergy().length === 0) assert.equal(meters, null);
  else assert.equal(meters!.source, "CPU packages (RAPL)");
});

Deno.test({
  name: "EnergyMeter adds up over laps, over counters that begin anew too",
  ignore: !ffi, // it loads what loads the shim
  fn: () => {
    const readings: Counter[][] = [[90, 5], [95, 7], [3, 7], [4, 10]]
      .map(([a, b]) => [{ joules: a!, range: 100 }, { joules: b!, range: Infinity }]);
    const meter = new EnergyMeter({ source: "two counters", read: () => readings.shift()! }, 40);
    meter.lap(); // 5 + 2
    meter.lap(); // 8 (through 100) + 0
    const total = meter.total(50);
    assert.deepEqual(total, { joules: 7 + 8 + 1 + 3, source: "two counters", steps: 10 });
    assert.equal(inFull(total, 10), total);
    assert.equal(inFull(total, 50).source, "two counters, 10 of 50 steps");
  },
});

Deno.test({
  name: "EnergyMeter goes on from an earlier attempt's joules where they are of the same source",
  ignore: !ffi,
  fn: () => {
    const meterAt = (source: string) => {
      const joules = [100, 104];
      const read = () => [{ joules: joules.shift()!, range: Infinity }];
      return new EnergyMeter({ source, read }, 10, { joules: 50, source: "this", steps: 8 }).total(12);
    };
    assert.deepEqual(meterAt("this"), { joules: 54, source: "this", steps: 10 });
    assert.deepEqual(meterAt("other"), { joules: 4, source: "other", steps: 2 });
  },
});
