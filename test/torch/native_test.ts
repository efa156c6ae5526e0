/** Proves what is said where the shim cannot be loaded; needs no permission, and its tests never load it. */
import assert from "node:assert/strict";
import { FLOAT32_CPU, load, Tensor, TorchError } from "../../src/torch/mod.ts";

Deno.test("an op before load() says so", () => {
  assert.throws(() => Tensor.zeros([1], FLOAT32_CPU), {
    name: "TorchError",
    message: "Cannot call ft_full before load()",
  });
});

Deno.test({
  name: "load() without permission names every library and what to do",
  permissions: { ffi: false, read: false },
  fn: () => {
    assert.throws(load, (error: unknown) => {
      assert.ok(error instanceof TorchError);
      const [what, ...reasons] = error.message.split("\n");
      assert.equal(what, "Cannot load the native shim; run `deno task setup`:");
      for (const library of ["libc10.so", "libtorch_cpu.so", "libtorch.so", "libforetoken.so"]) {
        assert.ok(reasons.some((reason) => reason.includes(library)), `${library} in ${error.message}`);
      }
      return true;
    });
    assert.throws(
      () => Tensor.zeros([1], FLOAT32_CPU),
      /before load/,
      "a failed load leaves nothing half done",
    );
  },
});
