/** Proves that files and folders appear whole or not at all, and that refusals of the system become sentences. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import fc from "fast-check";
import {
  AtomicFile,
  AtomicFolder,
  removePartials,
  sha256OfFile,
  writeBytes,
  writeJson,
  writeJsonOver,
  writeText,
} from "../../src/formats/atomic.ts";
import { withFiles } from "../support.ts";

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

/** Runs `act` while every write to a file fails as the system would have it fail. */
function failing(method: "writeSync" | "syncSync", message: string, act: () => void): void {
  const original = Deno.FsFile.prototype[method];
  Deno.FsFile.prototype[method] = () => {
    throw new Error(message);
  };
  try {
    act();
  } finally {
    Object.assign(Deno.FsFile.prototype, { [method]: original });
  }
}

withFiles("writeText() returns the size and the SHA-256 that the standard gives for abc", (folder) => {
  const path = join(folder, "abc");
  const sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-4, example B.1
  assert.deepEqual(writeText(path, "abc"), { bytes: 3, sha256 });
  assert.equal(sha256OfFile(path), sha256);
  assert.deepEqual(names(folder), ["abc"]);
});

withFiles("writeJson() writes indented JSON with a final line break", (folder) => {
  writeJson(join(folder, "a.json"), { a: [1, "é"] });
  assert.equal(Deno.readTextFileSync(join(folder, "a.json")), '{\n  "a": [\n    1,\n    "é"\n  ]\n}\n');
});

withFiles("AtomicFile writes the same bytes however they are cut into pieces", (folder) => {
  const path = join(folder, "pieces");
  const sizes = fc.array(fc.oneof(fc.nat(100), fc.integer({ min: (1 << 20) - 2, max: (1 << 20) + 2 })), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(sizes, (lengths) => {
      const pieces = lengths.map((length, i) => new Uint8Array(length).fill(i + 1));
      const hash = createHash("sha256");
      for (const piece of pieces) hash.update(piece);
      using file = new AtomicFile(path);
      for (const piece of pieces) file.write(piece);
      const total = lengths.reduce((sum, length) => sum + length, 0);
      assert.equal(file.bytes, total);
      assert.deepEqual(file.commit(), { bytes: total, sha256: hash.digest("hex") });
      assert.equal(Deno.statSync(path).size, total);
    }),
    { numRuns: 15 },
  );
});

withFiles("AtomicFile leaves the old file alone until it is committed, and nothing else behind", (folder) => {
  const path = join(folder, "state.json");
  writeText(path, "old");
  {
    using file = new AtomicFile(path);
    file.write(new Uint8Array(3 << 20));
    assert.equal(Deno.readTextFileSync(path), "old");
  }
  assert.equal(Deno.readTextFileSync(path), "old");
  assert.deepEqual(names(folder), ["state.json"]);
});

withFiles("AtomicFile replaces what a killed writer left", (folder) => {
  const path = join(folder, "state.json");
  Deno.writeTextFileSync(`${path}.partial`, "much longer than the new text");
  writeText(path, "new");
  assert.equal(Deno.readTextFileSync(path), "new");
  assert.deepEqual(names(folder), ["state.json"]);
});

withFiles(
  "AtomicFile goes on from what another writer saved, and drops what was written behind it",
  (folder) => {
    const path = join(folder, "log");
    const whole = Uint8Array.from({ length: 3 << 20 }, (_, i) => i * 7);
    for (const isCommitted of [false, true]) { // killed before or after it came to its end
      const killed = new AtomicFile(path);
      killed.write(whole.subarray(0, 2_500_000));
      const saved = killed.save();
      assert.equal(saved, 2_500_000);
      killed.write(new Uint8Array(2 << 20));
      if (isCommitted) killed.commit();
      else killed.leave();
      using file = new AtomicFile(path, saved);
      assert.equal(file.bytes, saved);
      file.write(whole.subarray(saved));
      const sha256 = createHash("sha256").update(whole).digest("hex");
      assert.deepEqual(file.commit(), { bytes: whole.length, sha256 });
      assert.equal(sha256OfFile(path), sha256);
    }
    Deno.writeFileSync(`${path}.partial`, new Uint8Array(10));
    assert.throws(() => new AtomicFile(path, 11), {
      name: "RangeError",
      message: /has 10 bytes, expected 11$/,
    });
  },
);

withFiles("writeBytes() names the file, the reason and the remedy when the disk is full", (folder) => {
  const path = join(folder, "big");
  writeText(path, "old");
  const message = `Cannot write "${path}": no space left on device; ` +
    "free some space on that disk, then run the same command again";
  for (const method of ["writeSync", "syncSync"] as const) {
    failing(method, "No space left on device (os error 28)", () => {
      assert.throws(() => writeBytes(path, new Uint8Array(2 << 20)), { name: "UserError", message });
    });
    assert.deepEqual(names(folder), ["big"]);
    assert.equal(Deno.readTextFileSync(path), "old");
  }
});

withFiles(
  "writeJsonOver() goes over the old file when there is no room for another, longer or shorter",
  (folder) => {
    const path = join(folder, "status.json");
    const full = (value: unknown) =>
      failing("syncSync", "No space left on device (os error 28)", () => writeJsonOver(path, value));
    const refusal = { name: "UserError", message: /no space left on device; free some space/ };
    assert.throws(() => full({ state: "first" }), refusal); // there is none to go over
    for (const state of ["running", "failed: for a reason that takes some words", "done", "x".repeat(4000)]) {
      if (names(folder).length === 0) writeJsonOver(path, { state });
      else full({ state });
      assert.deepEqual(JSON.parse(Deno.readTextFileSync(path)), { state });
      assert.deepEqual(names(folder), ["status.json"]);
    }
    assert.throws(() => full({ state: "x".repeat(4096) }), refusal); // which may take more room
    failing("syncSync", "a bug", () => assert.throws(() => writeJsonOver(path, 1), { message: "a bug" }));
    assert.deepEqual(JSON.parse(Deno.readTextFileSync(path)), { state: "x".repeat(4000) });
  },
);

withFiles("writeBytes() names the limit when the file grows too large", (folder) => {
  failing("writeSync", "File too large (os error 27)", () => {
    assert.throws(() => writeBytes(join(folder, "big"), new Uint8Array(1)), /file too large; .*ulimit -f/);
  });
});

withFiles("writeText() names the path when its folder is missing", (folder) => {
  const path = join(folder, "none", "a.txt");
  const message = `Cannot write "${path}": no such file or directory`;
  assert.throws(() => writeText(path, ""), { name: "UserError", message });
});

withFiles("writeBytes() passes on what is no refusal of the system", (folder) => {
  failing("writeSync", "a bug", () => {
    assert.throws(() => writeBytes(join(folder, "a"), new Uint8Array(1)), {
      name: "Error",
      message: "a bug",
    });
  });
  assert.deepEqual(names(folder), []);
});

withFiles("AtomicFolder appears with all its files when it is committed", (folder) => {
  const path = join(folder, "step-1");
  using checkpoint = new AtomicFolder(path);
  writeText(join(checkpoint.temporary, "state.json"), "{}");
  Deno.mkdirSync(join(checkpoint.temporary, "below"));
  Deno.writeTextFileSync(join(checkpoint.temporary, "below", "a"), "a");
  assert.deepEqual(names(folder), ["step-1.partial"]);
  checkpoint.commit();
  assert.deepEqual(names(folder), ["step-1"]);
  assert.deepEqual(names(path), ["below", "state.json"]);
});

withFiles("AtomicFolder replaces a folder of its name, and only once it is whole", (folder) => {
  const path = join(folder, "step-1");
  Deno.mkdirSync(path);
  Deno.writeTextFileSync(join(path, "old"), "");
  {
    using abandoned = new AtomicFolder(path);
    writeText(join(abandoned.temporary, "new"), "");
  }
  assert.deepEqual(names(folder), ["step-1"]);
  assert.deepEqual(names(path), ["old"]);
  using replacement = new AtomicFolder(path);
  writeText(join(replacement.temporary, "new"), "");
  replacement.commit();
  assert.deepEqual(names(folder), ["step-1"]);
  assert.deepEqual(names(path), ["new"]);
});

withFiles("AtomicFolder puts right what a kill between its two renames left", (folder) => {
  const path = join(folder, "step-1");
  Deno.mkdirSync(`${path}.replaced`);
  Deno.writeTextFileSync(join(`${path}.replaced`, "old"), "");
  Deno.mkdirSync(`${path}.partial`);
  using _folder = new AtomicFolder(path);
  assert.deepEqual(names(folder), ["step-1", "step-1.partial"]);
  assert.deepEqual(names(path), ["old"]);
});

withFiles("removePartials() removes the leftovers of killed writers and nothing else", (folder) => {
  for (const name of ["a.partial", "a", "partial"]) Deno.writeTextFileSync(join(folder, name), "");
  Deno.mkdirSync(join(folder, "b.partial", "c"), { recursive: true });
  removePartials(folder);
  assert.deepEqual(names(folder), ["a", "partial"]);
});

withFiles("sha256OfFile() hashes a file longer than its buffer", (folder) => {
  const path = join(folder, "million");
  Deno.writeTextFileSync(path, "a".repeat(3e6));
  assert.equal(sha256OfFile(path), createHash("sha256").update("a".repeat(3e6)).digest("hex"));
});
