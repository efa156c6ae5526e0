/** The live page in a real browser: it draws a run, and follows it without being loaded again. */
import assert from "node:assert/strict";
import { browser, inCi, lookWith } from "../browser.ts";
import { withFiles } from "../support.ts";

/** What browser.ts prints. */
interface Seen {
  readonly first: string;
  readonly then: string;
}

if (browser === undefined && !inCi) {
  // deno-lint-ignore no-console
  console.log("the live page is not looked at in a browser: there is no Chromium in /usr/bin");
  Deno.test.ignore("the live page in a browser", () => {});
} else {
  withFiles("a browser shows the run, and what is new without being asked", async (folder) => {
    assert.ok(browser !== undefined, "CI looks at the live page: install chromium before");
    const { first, then } = await lookWith<Seen>(
      browser,
      "test/watch/browser.ts",
      [`--allow-read=${folder},src/watch`, `--allow-write=${folder}`],
      [folder],
    );
    assert.match(first, /<strong>forward<\/strong>[\s\S]*step 250 of 400/);
    assert.match(first, /<svg[^>]*class="chart"[\s\S]*Loss per head: forward \(K=3\)/);
    assert.match(first, /Tokens per second in training/);
    assert.match(first, /<p id="lost"[^>]*hidden/);
    assert.match(then, /step 300 of 400/); // came by /live, after the page was loaded
    assert.doesNotMatch(then, /step 250 of 400/);
  });
}
