/** A growing file loses nothing to a full disk, and nothing is out of its order afterwards. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { GrowingFile } from "../../src/formats/growing_file.ts";
import { withFiles } from "../support.ts";

/** Lets so many bytes through to every file, then says that the disk is full. */
function fillDisk(room: number): Disposable {
  const original = Deno.FsFile.prototype.writeSync;
  Deno.FsFile.prototype.writeSync = function (bytes) {
    if (room === 0) throw new Error("No space left on device (os error 28)");
    const written = original.call(this, bytes.subarray(0, room));
    room -= written;
    return written;
  };
  return { [Symbol.dispose]: () => void (Deno.FsFile.prototype.writeSync = original) };
}

withFiles("line() appends, and what is there stays", (folder) => {
  const path = join(folder, "log.txt");
  Deno.writeTextFileSync(path, "zero\n");
  using file = new GrowingFile(path);
  assert.equal(file.line("one"), null);
  assert.equal(file.line("two"), null);
  file.flush();
  assert.equal(Deno.readTextFileSync(path), "zero\none\ntwo\n");
});

withFiles("what a full disk refuses waits, half a line too, and comes first when there is room", (folder) => {
  const path = join(folder, "log.txt");
  using file = new GrowingFile(path);
  {
    using _full = fillDisk(6);
    assert.equal(file.line("one"), null);
    const refusal = file.line("two");
    assert.match(
      String(refusal),
      /^UserError: Cannot write ".*log\.txt": no space left on device; free some space/,
    );
    assert.notEqual(file.line("three"), null);
    assert.throws(() => file.flush(), /^UserError: Cannot write/);
    assert.equal(Deno.readTextFileSync(path), "one\ntw");
  }
  assert.equal(file.line("four"), null);
  assert.equal(Deno.readTextFileSync(path), "one\ntwo\nthree\nfour\n");
});

withFiles("a file that cannot be opened is a sentence", (folder) => {
  assert.throws(() => new GrowingFile(join(folder, "none/log.txt")), {
    name: "UserError",
    message: /^Cannot write ".*none\/log\.txt": no such file or directory/,
  });
});
