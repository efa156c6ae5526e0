/** What MFU is measured against: GPUs by the names that drivers give them, the CPU by a measurement. */
import assert from "node:assert/strict";
import { start } from "../../src/torch/mod.ts";
import { peakOf, peakOfGpu, revised } from "../../src/train/peak.ts";
import { withFfi } from "../support.ts";

Deno.test("peakOfGpu() knows GPUs by their names, and says where it does not", () => {
  const peaks = {
    "NVIDIA H100 80GB HBM3": 989,
    "NVIDIA H100 PCIe": 756,
    "NVIDIA H200": 989,
    "NVIDIA GH200 480GB": 989,
    "NVIDIA B200": 2250,
    "NVIDIA A100-SXM4-80GB": 312,
    "NVIDIA L40S": 362,
    "NVIDIA L40": 181,
    "NVIDIA L4": 121,
    "NVIDIA GeForce RTX 4090": 165,
    "NVIDIA GeForce RTX 4090 Laptop GPU": null,
    "Tesla T4": null,
    "NVIDIA A1000": null,
  };
  for (const [name, peak] of Object.entries(peaks)) assert.equal(peakOfGpu(name), peak, name);
});

withFfi("peakOf() measures the CPU and says so", () => {
  const { flops, inWords } = peakOf(start({ device: "cpu", threads: 1 }));
  assert.ok(flops! > 1e8 && flops! < 1e13, String(flops));
  assert.match(inWords, /^MFU: of \d+ GFLOP\/s, measured now \(float32 product of matrices, 1 thread\)$/);
});

withFfi(
  "revised() measures again where a training is faster than the peak, and gives up what cannot be",
  () => {
    const machine = start({ device: "cpu", threads: 1 });
    const busy = { flops: 1e6, inWords: "measured while something else ran" };
    assert.equal(revised(busy, machine, 1e6), busy);
    assert.ok(revised(busy, machine, 2e6).flops! > 1e8);
    assert.equal(revised(busy, machine, 1e18).flops, null);
    const unknown = { flops: null, inWords: "" };
    assert.equal(revised(unknown, machine, 1e18), unknown);
  },
);
