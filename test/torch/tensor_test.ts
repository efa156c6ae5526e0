/** Proves what holds for every tensor: errors cross whole, nothing is used after it was freed, scopes own and release. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Dtype,
  DTYPES,
  type Elements,
  FLOAT32_CPU,
  liveTensors,
  noGrad,
  Scope,
  scoped,
  Tensor,
  TokenShards,
  TorchError,
  unscoped,
} from "../../src/torch/mod.ts";
import { native } from "../../src/torch/native.ts";
import { withFfi } from "../support.ts";

/** The message of the TorchError that `body` must throw. */
function refusal(body: () => unknown): string {
  let message: string | undefined;
  assert.throws(body, (error: unknown) => {
    assert.ok(error instanceof TorchError, `${error} is no TorchError`);
    message = error.message;
    return true;
  });
  return message!;
}

// Errors

withFfi("an op throws libtorch's own sentence, without a C++ backtrace", () => {
  using _scope = new Scope();
  const message = refusal(() => Tensor.zeros([1, 3], FLOAT32_CPU).matmul(Tensor.zeros([2, 2], FLOAT32_CPU)));
  assert.equal(message, "mat1 and mat2 shapes cannot be multiplied (1x3 and 2x2)");
});

withFfi("an op names both shapes when they do not broadcast", () => {
  using _scope = new Scope();
  const message = refusal(() => Tensor.zeros([2, 3], FLOAT32_CPU).add(Tensor.zeros([2, 4], FLOAT32_CPU)));
  assert.match(message, /size of tensor a \(3\) must match the size of tensor b \(4\)/);
});

withFfi("a long message arrives whole, and one longer than the buffer is cut", () => {
  const vocabulary = { tokenBytes: 1, offset: 0, endToken: 0, byteLengths: new Uint32Array(1) } as const;
  const open = (file: string) => refusal(() => new TokenShards([{ file, index: "index" }], vocabulary));
  assert.equal(open("x".repeat(10_000)), `cannot open ${"x".repeat(10_000)}: File name too long`);
  assert.equal(open("y".repeat(20_000)), `cannot open ${"y".repeat(2 ** 14 - "cannot open ".length)}`);
});

withFfi("an error leaves no tensor behind and the next call works", () => {
  using _scope = new Scope();
  const before = liveTensors();
  const x = Tensor.full([2], 3, FLOAT32_CPU);
  refusal(() => x.reshape(5));
  assert.equal(liveTensors(), before + 1);
  assert.deepEqual(x.add(x).toArray(), [6, 6]);
});

withFfi("reshape(), copy_(), item() and copyBytes_() refuse sizes that do not fit", () => {
  using _scope = new Scope();
  const x = Tensor.zeros([2, 3], FLOAT32_CPU);
  assert.match(refusal(() => x.reshape(4, 2)), /invalid for input of size 6/);
  assert.equal(refusal(() => x.copy_(Tensor.zeros([3], FLOAT32_CPU))), "cannot copy [3] into [2, 3]");
  assert.match(refusal(() => x.item()), /6 elements/);
  assert.equal(refusal(() => x.copyBytes_(new Uint8Array(23))), "a tensor of 24 bytes and a buffer of 23");
  assert.equal(refusal(() => x.toBytes(new Uint8Array(25))), "a tensor of 24 bytes and a buffer of 25");
  assert.equal(
    refusal(() => Tensor.from(Float32Array.of(1, 2, 3), [2, 2])),
    "a tensor of 16 bytes and a buffer of 12",
  );
});

withFfi("slice() refuses what lies outside instead of clamping it", () => {
  using _scope = new Scope();
  const x = Tensor.zeros([2, 3], FLOAT32_CPU);
  assert.equal(refusal(() => x.slice(1, 1, 4)), "cannot take 1 to 4 of dimension 1 of [2, 3]");
  for (const [dim, start, end] of [[2, 0, 1], [-1, 0, 1], [0, -1, 1], [1, 2, 1]] as const) {
    assert.match(refusal(() => x.slice(dim, start, end)), /cannot take/);
  }
  assert.deepEqual(x.slice(1, 3, 3).shape, [2, 0]);
});

withFfi("an unknown device is an error, and one that is not there too", () => {
  using _scope = new Scope();
  const unknown = "gpu" as "cpu";
  assert.equal(
    refusal(() => Tensor.zeros([1], { dtype: "float32", device: unknown })),
    'Unknown device "gpu": expected cpu or cuda:N',
  );
  assert.match(refusal(() => Tensor.zeros([1], FLOAT32_CPU).to("float32", "cuda:99")), /CUDA|NVIDIA/);
});

withFfi("dtype and device codes that nobody defined are refused", () => {
  const shape = Float64Array.of(1);
  using _scope = new Scope();
  assert.equal(
    refusal(() => new Tensor(native.ft_full(shape, 1, 0, DTYPES.length, 0))),
    "unknown dtype code 7",
  );
  assert.equal(refusal(() => new Tensor(native.ft_full(shape, 1, 0, 0, -1))), "unknown device code -1");
});

// Use after free

withFfi("a tensor that was freed cannot be used, and freeing it again does nothing", () => {
  const x = Tensor.zeros([1], FLOAT32_CPU);
  x.free();
  assert.throws(() => x.add(x), {
    name: "ReferenceError",
    message: "Cannot use a tensor after it was freed",
  });
  assert.throws(() => x.shape, ReferenceError);
  const before = liveTensors();
  x.free();
  x[Symbol.dispose]();
  assert.equal(liveTensors(), before);
});

withFfi("a stale handle is an error, also when its slot holds another tensor", () => {
  using _scope = new Scope();
  const x = Tensor.full([1], 1, FLOAT32_CPU);
  const stale = x.handle;
  x.free();
  assert.equal(refusal(() => new Tensor(native.ft_clone(stale))), "the tensor was freed");
  const y = Tensor.full([1], 2, FLOAT32_CPU);
  assert.notEqual(y.handle, stale);
  assert.equal(y.handle & 0xfffff, stale & 0xfffff, "the slot is used again");
  assert.equal(refusal(() => new Tensor(native.ft_clone(stale))), "the tensor was freed");
  assert.ok(native.ft_free(stale) < 0);
  assert.equal(y.item(), 2);
});

withFfi("a number that was never a handle is an error", () => {
  for (const handle of [0, -5, 0xfffff, 2 ** 31 - 1]) {
    assert.match(refusal(() => new Tensor(native.ft_clone(handle))), /not a tensor handle/);
  }
});

// Elements

const SAMPLES: readonly [Dtype, Elements, number[]][] = [
  ["float32", Float32Array.of(1.5, -0, Infinity, 2 ** -149), [1.5, -0, Infinity, 2 ** -149]],
  ["float64", Float64Array.of(0.1, -1e300), [0.1, -1e300]],
  ["int64", BigInt64Array.of(1n, -1n, 2n ** 53n), [1, -1, 2 ** 53]],
  ["int32", Int32Array.of(-(2 ** 31), 2 ** 31 - 1), [-(2 ** 31), 2 ** 31 - 1]],
  ["uint8", Uint8Array.of(0, 255), [0, 255]],
];

withFfi("toArray() gives back what from() was given, for every dtype that has an array", () => {
  using _scope = new Scope();
  for (const [dtype, elements, numbers] of SAMPLES) {
    const t = Tensor.from(elements);
    assert.equal(t.dtype, dtype);
    assert.deepEqual(t.shape, [elements.length]);
    assert.deepEqual(t.toArray(), numbers);
    assert.equal(t.byteLength, elements.byteLength);
  }
});

withFfi("from() copies a part of a buffer, and keeps its own elements afterwards", () => {
  using _scope = new Scope();
  const buffer = Float32Array.of(1, 2, 3, 4);
  const t = Tensor.from(buffer.subarray(1, 3), [2, 1]);
  buffer.fill(9);
  assert.deepEqual(t.toArray(), [2, 3]);
});

withFfi("every dtype holds small whole numbers, bool and bfloat16 included", () => {
  using _scope = new Scope();
  for (const dtype of DTYPES) {
    const t = Tensor.full([2, 2], 1, { dtype, device: "cpu" });
    assert.equal(t.dtype, dtype);
    assert.deepEqual(t.toArray(), [1, 1, 1, 1]);
    assert.deepEqual(t.to("float64", "cpu").toArray(), [1, 1, 1, 1]);
    assert.equal(t.slice(0, 0, 1).slice(1, 0, 1).item(), 1);
    assert.equal(t.toBytes().length, t.byteLength);
  }
});

withFfi("toArray() of bfloat16 leaves no tensor behind outside a scope", () => {
  assert.equal(Scope.current, null);
  using source = Tensor.from(Float32Array.of(1, 1.00390625));
  using t = source.to("bfloat16", "cpu");
  assert.deepEqual(t.toArray(), [1, 1]); // 8 bits of precision; a tie rounds to even
});

withFfi("reading follows the elements of a view, not its storage", () => {
  using _scope = new Scope();
  const x = Tensor.from(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
  assert.deepEqual(x.transpose(0, 1).toArray(), [1, 4, 2, 5, 3, 6]);
  assert.deepEqual(x.slice(1, 1, 3).toArray(), [2, 3, 5, 6]);
});

withFfi("copy_() and copyBytes_() write into views", () => {
  using _scope = new Scope();
  const x = Tensor.zeros([2, 3], FLOAT32_CPU);
  x.slice(1, 1, 2).copy_(Tensor.from(Float32Array.of(7, 8), [2, 1]));
  x.transpose(0, 1).slice(0, 0, 1).copyBytes_(new Uint8Array(Float32Array.of(1, 2).buffer));
  assert.deepEqual(x.toArray(), [1, 7, 0, 2, 8, 0]);
});

withFfi("normal_() depends on its seed alone, randn() on the process's generator", () => {
  using _scope = new Scope();
  const draw = (seed: number) => Tensor.zeros([64], FLOAT32_CPU).normal_(2, seed).toArray();
  const first = draw(5);
  Tensor.randn([3], FLOAT32_CPU);
  assert.deepEqual(draw(5), first);
  assert.notDeepEqual(draw(6), first);
  const spread = Math.sqrt(first.reduce((sum, x) => sum + x * x, 0) / 64);
  assert.ok(spread > 1.3 && spread < 2.7, `standard deviation ${spread}, expected about 2`);
});

withFfi("argmax() takes the first of equals, equal() gives bool", () => {
  using _scope = new Scope();
  const x = Tensor.from(Float32Array.of(1, 3, 3, 3, 0, 3), [2, 3]);
  assert.deepEqual(x.argmax(1).toArray(), [1, 0]);
  const same = x.equal(Tensor.full([1], 3, FLOAT32_CPU));
  assert.equal(same.dtype, "bool");
  assert.deepEqual(same.toArray(), [0, 1, 1, 1, 0, 1]);
});

// Scopes

withFfi("a scope frees what was born in it, and nothing else", () => {
  using outer = Tensor.zeros([1], FLOAT32_CPU);
  const before = liveTensors();
  {
    using _scope = new Scope();
    outer.add(outer).add(outer);
    assert.equal(liveTensors(), before + 2);
  }
  assert.equal(liveTensors(), before);
  assert.equal(outer.item(), 0);
});

withFfi("keep() hands a tensor outwards, through several scopes", () => {
  const before = liveTensors();
  let kept: Tensor;
  {
    using outer = new Scope();
    {
      using middle = new Scope();
      {
        using inner = new Scope();
        kept = inner.keep(Tensor.full([1], 4, FLOAT32_CPU));
        Tensor.zeros([1], FLOAT32_CPU);
        assert.equal(kept.owner, middle);
      }
      assert.equal(liveTensors(), before + 1);
      middle.keep(kept);
    }
    assert.equal(kept.owner, outer);
    assert.equal(outer.keep(kept), kept);
  }
  assert.equal(kept.owner, null);
  assert.equal(kept.item(), 4);
  kept.free();
  assert.equal(liveTensors(), before);
});

withFfi("keep() leaves a tensor alone that another scope owns", () => {
  using outer = new Scope();
  const x = Tensor.zeros([1], FLOAT32_CPU);
  {
    using inner = new Scope();
    assert.equal(inner.keep(x), x);
  }
  assert.equal(x.owner, outer);
  assert.equal(x.item(), 0);
});

withFfi("scoped() keeps its result alone", () => {
  using _scope = new Scope();
  const before = liveTensors();
  const y = scoped(() => Tensor.full([1], 2, FLOAT32_CPU).add(Tensor.full([1], 3, FLOAT32_CPU)));
  assert.equal(liveTensors(), before + 1);
  assert.equal(y.item(), 5);
});

withFfi("unscoped() makes tensors that no scope frees", () => {
  const before = liveTensors();
  let x: Tensor;
  {
    using scope = new Scope();
    x = unscoped(() => Tensor.full([1], 3, FLOAT32_CPU));
    assert.equal(Scope.current, scope);
    assert.throws(() =>
      unscoped(() => {
        throw new RangeError("stop");
      }), RangeError);
    assert.equal(Scope.current, scope);
  }
  assert.equal(liveTensors(), before + 1);
  assert.equal(x.item(), 3);
  x.free();
});

withFfi("scopes end in the reverse order of their beginnings", () => {
  const outer = new Scope();
  const inner = new Scope();
  assert.throws(() => outer[Symbol.dispose](), /reverse order/);
  inner[Symbol.dispose]();
  outer[Symbol.dispose]();
  assert.equal(Scope.current, null);
});

withFfi("a scope frees its tensors when its block throws", () => {
  const before = liveTensors();
  assert.throws(() => {
    using _scope = new Scope();
    Tensor.zeros([1], FLOAT32_CPU);
    throw new RangeError("stop");
  }, RangeError);
  assert.equal(liveTensors(), before);
  assert.equal(Scope.current, null);
});

withFfi("noGrad() records no graph and restores what was, also when it throws", () => {
  using _scope = new Scope();
  const x = Tensor.full([1], 2, FLOAT32_CPU).requireGrad();
  noGrad(() => refusal(() => x.mul(x).backward()));
  assert.throws(() =>
    noGrad(() => {
      throw new RangeError("stop");
    }), RangeError);
  x.mul(x).backward();
  assert.equal(x.grad.item(), 4);
});

/** One step of a program that makes, keeps and frees tensors. */
type Step =
  | { readonly kind: "make" }
  | { readonly kind: "combine"; readonly a: number; readonly b: number }
  | { readonly kind: "free"; readonly a: number }
  | { readonly kind: "keep"; readonly a: number }
  | { readonly kind: "fail" }
  | { readonly kind: "block"; readonly steps: readonly Step[] };

const { program } = fc.letrec<{ step: Step; program: Step[] }>((tie) => ({
  program: fc.array(tie("step"), { maxLength: 12 }),
  step: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.record({ kind: fc.constant("make" as const) }),
    fc.record({ kind: fc.constant("combine" as const), a: fc.nat(), b: fc.nat() }),
    fc.record({ kind: fc.constant("free" as const), a: fc.nat() }),
    fc.record({ kind: fc.constant("keep" as const), a: fc.nat() }),
    fc.record({ kind: fc.constant("fail" as const) }),
    fc.record({ kind: fc.constant("block" as const), steps: tie("program") }),
  ),
}));

/** Runs a program in scopes, and keeps the tensors that may be used along with their values as plain numbers. */
function execute(steps: readonly Step[], usable: Map<Tensor, number>): void {
  using scope = new Scope();
  const pick = (n: number): [Tensor, number] | undefined => [...usable][n % Math.max(usable.size, 1)];
  for (const step of steps) {
    if (step.kind === "make") {
      usable.set(Tensor.full([1], usable.size, { dtype: "float64", device: "cpu" }), usable.size);
    } else if (step.kind === "combine") {
      const [a, b] = [pick(step.a), pick(step.b)];
      if (a && b) usable.set(a[0].add(b[0]), a[1] + b[1]);
    } else if (step.kind === "free") {
      const a = pick(step.a);
      a?.[0].free();
      if (a) usable.delete(a[0]);
    } else if (step.kind === "keep") {
      const a = pick(step.a);
      if (a) scope.keep(a[0]);
    } else if (step.kind === "fail") {
      assert.throws(() => Tensor.zeros([2], FLOAT32_CPU).reshape(3), TorchError);
    } else {
      execute(step.steps, usable);
    }
  }
  for (const [tensor, value] of usable) {
    assert.equal(tensor.item(), value);
    if (tensor.owner === scope) usable.delete(tensor);
  }
}

withFfi("any program of scopes ends with the live count it began with", () => {
  fc.assert(
    fc.property(program, (steps) => {
      const before = liveTensors();
      const kept = new Map<Tensor, number>();
      execute(steps, kept);
      assert.equal(liveTensors(), before + kept.size);
      for (const [tensor, value] of kept) {
        assert.equal(tensor.item(), value);
        tensor.free();
      }
      assert.equal(liveTensors(), before);
      assert.equal(Scope.current, null);
    }),
    { numRuns: 300 },
  );
});
