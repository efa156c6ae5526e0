/**
 * Serves a made-up run and opens it in headless Chromium: `browser.ts CHROMIUM FOLDER`. Prints as JSON the document as it
 * was first drawn, and as it was after the run had gone on.
 */
import { answer } from "../../src/watch/watch.ts";
import { WatchedRun } from "../../src/watch/run.ts";
import { addStep, makeRun } from "./fixture.ts";

const [browser, folder] = Deno.args as [string, string];
const folderOfRun = makeRun(folder, 250);
const run = new WatchedRun(folderOfRun);
/** How often the page's program has asked for news. */
let asked = 0;

const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
  const isLive = new URL(request.url).pathname === "/live";
  if (isLive && ++asked === 2) {
    for (let step = 260; step <= 300; step += 10) addStep(folderOfRun, "forward", 3, step);
  }
  return answer(request, run);
});

/** The document's elements after so many milliseconds of the page's own time, which runs as fast as it can. */
async function documentAfter(milliseconds: number): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(browser, {
    args: [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
      `--user-data-dir=${folder}/profile`,
      `--virtual-time-budget=${milliseconds}`,
      "--dump-dom",
      `http://127.0.0.1:${server.addr.port}/`,
    ],
    clearEnv: true,
    env: { TMPDIR: folder, HOME: folder },
    stdin: "null",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

const first = await documentAfter(500);
const then = await documentAfter(5000);
await server.shutdown();
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify({ first, then })));
