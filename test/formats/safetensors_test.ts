/** Proves that safetensors files are the public package's byte for byte, and that no damaged one is believed. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import fc from "fast-check";
import {
  type SafetensorsDtype,
  SafetensorsFile,
  type TensorEntry,
  writeSafetensors,
} from "../../src/formats/safetensors.ts";
import { UserError } from "../../src/stage/errors.ts";
import { withFiles } from "../support.ts";

const bytesOf = (array: ArrayBufferView<ArrayBuffer>) =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

const entry = (
  name: string,
  dtype: SafetensorsDtype,
  shape: number[],
  array: ArrayBufferView<ArrayBuffer>,
): TensorEntry => ({ name, dtype, shape, bytes: () => bytesOf(array) });

/** What test/golden/make_safetensors.py gives to the public package. */
const GOLDEN: TensorEntry[] = [
  entry("layers.0.weight", "F32", [2, 3], Float32Array.from([0, 0.25, 0.5, 0.75, 1, 1.25])),
  entry("a.bias", "F64", [2], Float64Array.of(1.5, -2.25)),
  entry("step", "I64", [3], BigInt64Array.of(2n ** 40n, -1n, 7n)),
  entry("large", "U64", [1], BigUint64Array.of(2n ** 63n)),
  entry("flags", "BOOL", [3], Uint8Array.of(1, 0, 1)),
  entry("bytes", "U8", [5], new TextEncoder().encode("hello")),
  entry("signed", "I8", [2], Int8Array.of(-1, 1)),
  entry("half", "F16", [2], Uint16Array.of(0x3c00, 0x3800)),
  entry("brain", "BF16", [2], Uint16Array.of(0x3f80, 0x4000)),
  entry("short", "I16", [1], Int16Array.of(-300)),
  entry("1", "U16", [1], Uint16Array.of(300)),
  entry("int", "I32", [1], Int32Array.of(-70000)),
  entry("0", "U32", [1], Uint32Array.of(70000)),
  entry("scalar", "F32", [], Float32Array.of(7)),
  entry("empty", "F32", [0, 4], new Float32Array(0)),
  entry('naïve "quoted" \n', "F32", [1], Float32Array.of(3)),
];

const goldenPath = new URL("../golden/python.safetensors", import.meta.url).pathname;

withFiles("writeSafetensors() writes the bytes that the Python package writes", (folder) => {
  const path = join(folder, "own.safetensors");
  const { bytes, sha256 } = writeSafetensors(path, GOLDEN, { format: "pt" });
  const written = Deno.readFileSync(path);
  assert.deepEqual(written, Deno.readFileSync(goldenPath));
  assert.equal(bytes, written.length);
  assert.equal(sha256, createHash("sha256").update(written).digest("hex"));
});

withFiles("SafetensorsFile reads what the Python package wrote", () => {
  using file = new SafetensorsFile(goldenPath);
  assert.deepEqual([...file.metadata], [["format", "pt"]]);
  assert.deepEqual([...file.names].sort(), GOLDEN.map(({ name }) => name).sort());
  for (const { name, dtype, shape, bytes } of GOLDEN) {
    assert.deepEqual(file.info(name), { name, dtype, shape });
    assert.deepEqual(file.read(name), bytes());
  }
});

withFiles("writeSafetensors() asks for one tensor at a time and may be given the same buffer", (folder) => {
  const path = join(folder, "model.safetensors");
  const buffer = new Uint8Array(3);
  const asked: string[] = [];
  const entries = ["a", "b", "c"].map((name, i): TensorEntry => ({
    name,
    dtype: "U8",
    shape: [3],
    bytes: () => {
      asked.push(name);
      return buffer.fill(i);
    },
  }));
  writeSafetensors(path, entries);
  using file = new SafetensorsFile(path);
  assert.deepEqual(asked, ["a", "b", "c"]);
  for (const [i, name] of asked.entries()) {
    assert.deepEqual(file.read(name, buffer), new Uint8Array(3).fill(i));
  }
});

withFiles("writeSafetensors() refuses contradictions and leaves no file", (folder) => {
  const path = join(folder, "model.safetensors");
  const one = entry("a", "F32", [1], Float32Array.of(1));
  assert.throws(() => writeSafetensors(path, [one, one]), /Two tensors are called "a"/);
  assert.throws(() => writeSafetensors(path, [{ ...one, shape: [2] }]), /F32\[2\] has 4 bytes, expected 8/);
  assert.throws(() => writeSafetensors(path, [{ ...one, shape: [0.5] }]), /the shape \[0.5\]/);
  assert.throws(() => writeSafetensors(path, [{ ...one, name: "__metadata__" }]), TypeError);
  assert.deepEqual([...Deno.readDirSync(folder)], []);
});

withFiles("read() refuses a buffer of another size and a name that is not there", () => {
  using file = new SafetensorsFile(goldenPath);
  assert.throws(() => file.read("scalar", new Uint8Array(8)), /"scalar" has 4 bytes, the buffer 8/);
  assert.throws(() => file.read("weight"), { name: "UserError", message: /No tensor "weight" in ".*python/ });
  assert.equal(file.has("weight"), false);
  assert.equal(file.has("scalar"), true);
});

withFiles("SafetensorsFile names the file and the sizes wherever it is cut short", (folder) => {
  const whole = Deno.readFileSync(goldenPath);
  const path = join(folder, "cut.safetensors");
  fc.assert(
    fc.property(fc.nat(whole.length - 1), (length) => {
      Deno.writeFileSync(path, whole.subarray(0, length));
      const message = new RegExp(
        `"${path}": it is cut short, expected (at least )?\\d+ bytes, found ${length}`,
      );
      assert.throws(() => new SafetensorsFile(path), { name: "UserError", message });
    }),
    { numRuns: 60 },
  );
});

withFiles(
  "SafetensorsFile opens or refuses a file with altered header bytes, and never reads past its end",
  (folder) => {
    const whole = Deno.readFileSync(goldenPath);
    const headerEnd = 8 + Number(new DataView(whole.buffer).getBigUint64(0, true));
    const path = join(folder, "altered.safetensors");
    const change = fc.tuple(fc.nat(headerEnd - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const altered = whole.slice();
        for (const [at, byte] of changes) altered[at] = byte;
        Deno.writeFileSync(path, altered);
        try {
          using file = new SafetensorsFile(path);
          for (const name of file.names) file.read(name);
        } catch (error) {
          assert.ok(error instanceof UserError, String(error));
        }
      }),
      { numRuns: 200 },
    );
  },
);

/** A file with this header text and this many bytes of tensors. */
function craft(folder: string, header: string | Uint8Array, dataBytes: number): string {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  const path = join(folder, "crafted.safetensors");
  Deno.writeFileSync(path, bytes);
  return path;
}

const tensor = (start: number, end: number, more = {}) => ({
  dtype: "U8",
  shape: [end - start],
  data_offsets: [start, end],
  ...more,
});

const MALFORMED: readonly [what: string, header: string | Uint8Array, dataBytes: number, message: RegExp][] =
  [
    ["a gap", JSON.stringify({ a: tensor(0, 2), b: tensor(3, 4) }), 4, /a gap of 1 bytes comes before "b"/],
    ["a gap at the start", JSON.stringify({ a: tensor(1, 2) }), 2, /a gap of 1 bytes comes before "a"/],
    ["an overlap", JSON.stringify({ a: tensor(0, 3), b: tensor(2, 4) }), 4, /"b" overlaps/],
    ["bytes behind the tensors", JSON.stringify({ a: tensor(0, 2) }), 5, /3 bytes follow the last tensor/],
    [
      "an unknown dtype",
      JSON.stringify({ a: tensor(0, 2, { dtype: "F4" }) }),
      2,
      /unknown dtype "F4"; known are U64,/,
    ],
    [
      "an inherited name as dtype",
      JSON.stringify({ a: tensor(0, 2, { dtype: "toString" }) }),
      2,
      /unknown dtype/,
    ],
    [
      "a fraction in a shape",
      JSON.stringify({ a: tensor(0, 2, { shape: [0.5, 4] }) }),
      2,
      /the shape \[0.5,4\]/,
    ],
    ["a negative size", JSON.stringify({ a: tensor(0, 2, { shape: [-1, -2] }) }), 2, /the shape \[-1,-2\]/],
    [
      "a shape of another size",
      JSON.stringify({ a: tensor(0, 2, { shape: [3] }) }),
      2,
      /has 2 bytes, expected 3/,
    ],
    [
      "an endless shape",
      JSON.stringify({ a: tensor(0, 2, { shape: Array(40).fill(2 ** 50) }) }),
      2,
      /expected Infinity/,
    ],
    ["offsets backwards", JSON.stringify({ a: tensor(2, 0, { shape: [2] }) }), 2, /has -2 bytes/],
    ["one offset", JSON.stringify({ a: tensor(0, 2, { data_offsets: [0] }) }), 2, /data_offsets \[0\]/],
    ["no description", JSON.stringify({ a: [1] }), 2, /"a" is not described by an object/],
    [
      "a name twice",
      `{"a":${JSON.stringify(tensor(0, 2))},"\\u0061":${JSON.stringify(tensor(0, 2))}}`,
      2,
      /"a" twice/,
    ],
    [
      "metadata that is no string",
      JSON.stringify({ __metadata__: { step: 1 } }),
      0,
      /"step", which is not a string/,
    ],
    [
      "metadata that is no object",
      JSON.stringify({ __metadata__: "pt" }),
      0,
      /__metadata__ is not an object/,
    ],
    ["a list as header", "[]", 0, /not a JSON object/],
    ["no JSON", "{a}", 0, /not JSON/],
    ["no UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d), 0, /not JSON/],
    ["nothing", "", 0, /not JSON/],
  ];

for (const [what, header, dataBytes, message] of MALFORMED) {
  withFiles(`SafetensorsFile refuses a header with ${what}`, (folder) => {
    const path = craft(folder, header, dataBytes);
    assert.throws(() => new SafetensorsFile(path), { name: "UserError", message });
  });
}

withFiles("SafetensorsFile refuses a header length that no reader accepts", (folder) => {
  const path = join(folder, "huge.safetensors");
  Deno.writeFileSync(path, new Uint8Array(16).fill(0xff));
  assert.throws(() => new SafetensorsFile(path), /a header of 1\.8\d+e\+?19 bytes|a header of 184\d+ bytes/);
});

withFiles("SafetensorsFile takes braces, quotes and names inside strings for what they are", (folder) => {
  const metadata = { note: '{"a": "\\"b\\": {}', a: "}".repeat(1000) };
  const header = JSON.stringify({ a: tensor(0, 2), __metadata__: metadata });
  using file = new SafetensorsFile(craft(folder, header, 2));
  assert.deepEqual(Object.fromEntries(file.metadata), metadata);
});

withFiles("SafetensorsFile closes the file when it refuses it", (folder) => {
  const path = craft(folder, "{}", 1);
  const opened: Deno.FsFile[] = [];
  const openSync = Deno.openSync;
  Deno.openSync = (...args) => {
    opened.push(openSync(...args));
    return opened.at(-1)!;
  };
  try {
    assert.throws(() => new SafetensorsFile(path), UserError);
  } finally {
    Deno.openSync = openSync;
  }
  assert.equal(opened.length, 1);
  assert.throws(() => opened[0]!.statSync(), Deno.errors.BadResource);
});

withFiles("SafetensorsFile names a file that is missing", (folder) => {
  const message = `Cannot read "${join(folder, "none")}": no such file or directory`;
  assert.throws(() => new SafetensorsFile(join(folder, "none")), { name: "UserError", message });
});
