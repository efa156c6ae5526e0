/** Log lines and the progress line share standard error without running into each other. */

import assert from "node:assert/strict";
import { inFull, Terminal } from "../../src/stage/terminal.ts";

/** A screen that keeps what is written, with a clock that the test moves. */
function fakeScreen(interactive: boolean) {
  const screen = {
    interactive,
    text: "",
    time: 0,
    write: (text: string) => {
      screen.text += text;
    },
    columns: () => 20,
    now: () => screen.time,
  };
  return screen;
}

Deno.test("progress() redraws one line on a terminal, log() puts lines above it, clear() takes it away", () => {
  const screen = fakeScreen(true);
  const terminal = new Terminal(screen);
  terminal.progress("step 1");
  terminal.log("hello");
  screen.time = 200;
  terminal.progress("step 2");
  terminal.clear();
  terminal.log("bye");
  assert.equal(screen.text, "\r\x1b[Kstep 1\r\x1b[Khello\nstep 1\r\x1b[Kstep 2\r\x1b[Kbye\n");
});

Deno.test("progress() redraws several lines, each cut to the screen", () => {
  const screen = fakeScreen(true);
  const terminal = new Terminal(screen);
  terminal.progress("table", "a row that is longer than it");
  terminal.log("hello");
  terminal.clear();
  const taken = "\r\x1b[K\x1b[A\x1b[K";
  const drawn = "table\na row that is longe";
  assert.equal(screen.text, `\r\x1b[K${drawn}${taken}hello\n${drawn}${taken}`);
});

Deno.test("progress() hands its lines on to a runner twice a second, told from others by their first sign", () => {
  const screen = Object.assign(fakeScreen(false), { piped: true });
  const terminal = new Terminal(screen);
  for (screen.time = 0; screen.time <= 1000; screen.time += 250) terminal.progress(`at ${screen.time}`);
  terminal.log("done");
  assert.equal(screen.text, "\rat 500\n\rat 1000\ndone\n");
});

Deno.test("progress() asks a line for what fits, and off a terminal for all of it", () => {
  const line = (columns: number) => columns < 30 ? `short ${columns}` : "all that there is to say";
  const screen = fakeScreen(true);
  new Terminal(screen).progress(line);
  assert.equal(screen.text, "\r\x1b[Kshort 19");
  const log = fakeScreen(false);
  const terminal = new Terminal(log);
  log.time = 5000;
  terminal.progress(line);
  assert.equal(log.text, "all that there is to say\n");
  assert.equal(inFull(line), "all that there is to say");
  assert.equal(inFull("a line"), "a line");
});

Deno.test("progress() draws at most ten times a second and leaves the last column free", () => {
  const screen = fakeScreen(true);
  const terminal = new Terminal(screen);
  terminal.progress("a line that is longer than the screen");
  screen.time = 99;
  terminal.progress("too soon");
  assert.equal(screen.text, "\r\x1b[Ka line that is long");
});

Deno.test("progress() writes a plain line every five seconds when there is no terminal", () => {
  const screen = fakeScreen(false);
  const terminal = new Terminal(screen);
  for (screen.time = 0; screen.time <= 12_000; screen.time += 1000) terminal.progress(`at ${screen.time}`);
  terminal.log("done");
  terminal.clear();
  assert.equal(screen.text, "at 5000\nat 10000\ndone\n");
});

Deno.test("log() goes on when nobody reads any more", () => {
  const screen = { ...fakeScreen(false), write: () => assert.fail("EPIPE") };
  new Terminal(screen).log("into the void");
});
