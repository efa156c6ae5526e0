/** Proves what the process reports and sets: versions, random numbers, threads, memory, devices. */
import assert from "node:assert/strict";
import {
  cudaDevices,
  FLOAT32_CPU,
  memory,
  noGrad,
  rngState,
  Scope,
  seed,
  setRngState,
  setThreads,
  start,
  synchronize,
  Tensor,
  threads,
  TorchError,
  versions,
} from "../../src/torch/mod.ts";
import { native } from "../../src/torch/native.ts";
import { withFfi } from "../support.ts";

withFfi("versions() says that the running libtorch is the one built for, and which kernels run", () => {
  const { built, running, rows, products, cudaBuild } = versions();
  assert.match(running, /^2\.\d+\.\d+$/);
  assert.equal(running, built);
  assert.ok(["avx2", "portable"].includes(rows), rows);
  assert.ok(["avx512", "avx2", "libtorch"].includes(products), products);
  assert.equal(typeof cudaBuild, "boolean");
});

withFfi("seed() repeats the random numbers, rngState() takes them up where they were", () => {
  using _scope = new Scope();
  const draw = (): number[] => Tensor.randn([100], FLOAT32_CPU).toArray();
  seed(1337);
  const first = draw();
  const state = rngState();
  const second = draw();
  assert.notDeepEqual(second, first);
  setRngState(state);
  assert.deepEqual(draw(), second);
  seed(1337);
  assert.deepEqual(draw(), first);
  seed(1338);
  assert.notDeepEqual(draw(), first);
});

withFfi("rngState() between two halves of a pair of normal numbers repeats the second", () => {
  using _scope = new Scope();
  seed(7);
  Tensor.randn([1], FLOAT32_CPU); // normal numbers come in pairs; the other one is kept
  const state = rngState();
  const next = Tensor.randn([3], FLOAT32_CPU).toArray();
  setRngState(state);
  assert.deepEqual(Tensor.randn([3], FLOAT32_CPU).toArray(), next);
});

withFfi("setRngState() refuses what is no state", () => {
  const before = rngState();
  assert.throws(() => setRngState(new Uint8Array(3)), TorchError);
  assert.deepEqual(rngState(), before);
});

withFfi("setThreads() sets what threads() says, and refuses none", () => {
  const before = threads();
  for (const count of [1, 3, before]) {
    setThreads(count);
    assert.equal(threads(), count);
  }
  assert.throws(() => setThreads(0), { message: "0 threads" });
  assert.equal(threads(), before);
});

withFfi("memory() sees a tensor come and keeps the peak when it goes", () => {
  const MEGABYTES = 2 ** 20;
  const before = memory("cpu");
  assert.ok(before.now > 20 * MEGABYTES && before.peak >= before.now, JSON.stringify(before));
  const big = Tensor.full([256 * MEGABYTES / 4], 1, FLOAT32_CPU); // far more than JavaScript's heap gives back meanwhile
  const during = memory("cpu");
  big.free();
  const after = memory("cpu");
  assert.ok(during.now - before.now > 180 * MEGABYTES, `${before.now} to ${during.now}`);
  assert.ok(during.now - after.now > 180 * MEGABYTES, `${during.now} to ${after.now}`);
  assert.ok(after.peak >= during.now - MEGABYTES); // the kernel counts pages by processor, and adds up late
});

withFfi("start() sets the threads, takes the CPU when it is asked to, and gives its reason", () => {
  const before = threads();
  assert.deepEqual(start({ device: "cpu", threads: 1 }), { device: "cpu", threads: 1, reason: "asked for" });
  const found = start({ device: "auto", threads: "auto" });
  assert.equal(found.device, cudaDevices() > 0 ? "cuda:0" : "cpu");
  assert.equal(found.threads, navigator.hardwareConcurrency);
  assert.ok(found.reason.length > 0);
  if (cudaDevices() === 0) {
    assert.throws(() => start({ device: "cuda", threads: 1 }), {
      name: "TorchError",
      message: /^device: cuda was asked for and there is none/,
    });
  }
  setThreads(before);
});

withFfi("cudaDevices() counts, and a device beyond them is an error", () => {
  const devices = cudaDevices();
  assert.ok(Number.isInteger(devices) && devices >= 0);
  synchronize("cpu");
  using _scope = new Scope();
  assert.throws(() => Tensor.zeros([1], { dtype: "float32", device: `cuda:${devices}` }), TorchError);
});

withFfi("the switch for gradients returns what it was", () => {
  assert.equal(native.ft_set_grad_enabled(1), 1);
  noGrad(() => assert.equal(native.ft_set_grad_enabled(0), 0));
  assert.equal(native.ft_set_grad_enabled(1), 1);
});
