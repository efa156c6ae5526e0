/**
 * Proves the writer of files of tensors: what it writes is what was there at the call, whole, with its true SHA-256;
 * what the system refuses is said in its own words.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { type SafetensorsDtype, safetensorsLayout } from "../../src/formats/safetensors.ts";
import { finishSave, releaseSave, reserveSave, Scope, startSave, Tensor } from "../../src/torch/mod.ts";
import { withPeers } from "../peers.ts";
import { inFolder, withFfi } from "../support.ts";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const files = (name: string, body: (folder: string) => void) => withFfi(name, () => inFolder(body));
const text = (value: string) => new TextEncoder().encode(value);
const joined = (...parts: Uint8Array[]) => new Uint8Array(parts.flatMap((part) => [...part]));

files("startSave() copies: what a tensor becomes afterwards is not written", (folder) => {
  using _scope = new Scope();
  const path = join(folder, "a.bin");
  const tensor = Tensor.from(Float32Array.from({ length: 300_000 }, Math.sqrt));
  const before = tensor.toBytes();
  startSave([{ path, header: text("head"), tensors: [tensor, tensor] }]);
  tensor.copy_(tensor.scale(-1));
  const digests = finishSave(true);
  assert.deepEqual(Deno.readFileSync(path), joined(text("head"), before, before));
  assert.deepEqual(digests, [sha256(Deno.readFileSync(path))]);
  releaseSave();
});

files("finishSave() gives the checksum of each file, whatever its length", (folder) => {
  using _scope = new Scope();
  const lengths = [1, 55, 56, 63, 64, 65, 119, 120, 1 << 20, (1 << 20) + 9]; // around blocks of the hash, and pieces
  const files = lengths.map((length, i) => {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 31 + i) & 255);
    return { path: join(folder, `${i}`), header: text(`${i}`), tensors: [Tensor.from(bytes)] };
  });
  startSave(files);
  let digests = null;
  while (digests === null) digests = finishSave(false);
  assert.deepEqual(digests, files.map(({ path }) => sha256(Deno.readFileSync(path))));

  // The next save has fewer and shorter files in the same buffers.
  startSave([{ path: join(folder, "again"), header: text("x"), tensors: [] }]);
  assert.deepEqual(finishSave(true), [sha256(text("x"))]);
  assert.equal(Deno.readTextFileSync(join(folder, "again")), "x");
  releaseSave();
});

files("reserveSave() makes room that saves use, of whatever size they are", (folder) => {
  using _scope = new Scope();
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i * 7 & 255);
  const path = join(folder, "a");
  for (const room of [10, 5000, 1 << 20]) {
    reserveSave([room, room], "cpu");
    startSave([{ path, header: text("x"), tensors: [Tensor.from(bytes)] }]);
    assert.throws(() => reserveSave([room], "cpu"), /a save is in flight/);
    assert.deepEqual(finishSave(true), [sha256(joined(text("x"), bytes))]);
    releaseSave();
  }
  reserveSave([1 << 20], "cpu");
  assert.throws(() => finishSave(true), /no save is in flight/);
  releaseSave();
});

files("a view is written as its elements stand in it", (folder) => {
  using _scope = new Scope();
  const path = join(folder, "view.bin");
  const matrix = Tensor.from(Int32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
  startSave([{ path, header: text(""), tensors: [matrix.transpose(0, 1), matrix.slice(1, 1, 2)] }]);
  finishSave(true);
  assert.deepEqual([...new Int32Array(Deno.readFileSync(path).buffer)], [1, 4, 2, 5, 3, 6, 2, 5]);
  releaseSave();
});

files("what the system refuses is an error with its words, and the next save works", (folder) => {
  using _scope = new Scope();
  const save = (path: string) => startSave([{ path, header: text("x"), tensors: [Tensor.ids([1])] }]);
  save("/dev/full");
  assert.throws(() => finishSave(true), {
    name: "TorchError",
    message: "No space left on device (os error 28)",
  });
  save(join(folder, "none/a"));
  assert.throws(() => finishSave(true), /^TorchError: No such file or directory \(os error 2\)$/);
  assert.throws(() => finishSave(true), /no save is in flight/);
  save(join(folder, "a"));
  assert.throws(() => save(join(folder, "b")), /a save is in flight/);
  assert.equal(finishSave(true)!.length, 1);
  releaseSave();
});

withPeers(
  "Python's safetensors reads what the thread wrote, all types",
  (python) =>
    inFolder(async (folder) => {
      using _scope = new Scope();
      const values = Tensor.from(Float32Array.of(-1.5, 0, 2.25, 1e30, 3, -0), [2, 3]);
      const entry = (name: string, dtype: SafetensorsDtype, tensor: Tensor) => ({
        name,
        dtype,
        shape: tensor.shape,
        tensor,
      });
      const entries = [
        entry("b.weight", "F32", values),
        entry("half", "BF16", values.to("bfloat16", "cpu")),
        entry("a.ids", "I64", Tensor.ids([7, -9])),
        entry("flags", "U8", Tensor.from(Uint8Array.of(1, 2, 3))),
        entry("scalar", "F32", Tensor.from(Float32Array.of(4), [])),
      ];
      const path = join(folder, "x.safetensors");
      const { header, tensors } = safetensorsLayout(entries, { format: "pt" });
      startSave([{ path, header, tensors: tensors.map(({ tensor }) => tensor) }]);
      finishSave(true);
      releaseSave();
      const program = `
import json, sys
from safetensors.torch import load_file
print(json.dumps({k: [str(v.dtype), list(v.shape), v.double().flatten().tolist()] for k, v in load_file(sys.argv[1]).items()}))
`;
      assert.deepEqual(JSON.parse(await python(["-c", program, path], "")), {
        "b.weight": ["torch.float32", [2, 3], [-1.5, 0, 2.25, Math.fround(1e30), 3, -0]],
        "half": ["torch.bfloat16", [2, 3], [-1.5, 0, 2.25, values.to("bfloat16", "cpu").toArray()[3], 3, -0]],
        "a.ids": ["torch.int64", [2], [7, -9]],
        "flags": ["torch.uint8", [3], [1, 2, 3]],
        "scalar": ["torch.float32", [], [4]],
      });
    }),
);
