/** The report in a real browser, at a desktop's and a phone's width, light and dark: nothing overlaps, overflows or complains. */

import assert from "node:assert/strict";
import { collect } from "../../src/report/collect.ts";
import { page } from "../../src/report/page.ts";
import { browser, inCi, lookWith } from "../browser.ts";
import { withFiles } from "../support.ts";
import { ALL, completeRun, reader, REPORT } from "./fixture.ts";
import { LARGE, SMALL, study, STUDY_REPORT } from "./many_arms.ts";

/** Screenshots and prints, for whoever wants to look. */
const ARTIFACTS = "runs/test-artifacts/report";

/** What look.ts prints. */
interface Seen {
  readonly charts: number;
  readonly faults: readonly string[];
}

/** Pages by the names of their files: two arms, the small study, and 60 arms. */
function pages(): Map<string, string> {
  const [small, large] = [study(SMALL), study(LARGE)];
  return new Map([
    ["two.html", page(collect(REPORT, ALL, reader(completeRun())))],
    ["small.html", page(collect(STUDY_REPORT, small.needs, reader(small.files)))],
    ["large.html", page(collect(STUDY_REPORT, large.needs, reader(large.files)))],
  ]);
}

if (browser === undefined && !inCi) {
  // deno-lint-ignore no-console
  console.log("the report is not looked at in a browser: there is no Chromium in /usr/bin");
  Deno.test.ignore("the report in a browser", () => {});
} else {
  withFiles("a browser shows the report without overlaps, overflow or complaints", async (folder) => {
    assert.ok(browser !== undefined, "CI looks at the report: install chromium before");
    const made = pages();
    for (const [name, source] of made) Deno.writeTextFileSync(`${folder}/${name}`, source);
    const { charts, faults } = await look(browser, folder, [...made.keys()]);
    assert.ok(charts > 100, `${charts} charts were looked at`);
    assert.deepEqual(faults, []);
  });

  withFiles("the look into the browser finds faults where there are some", async (folder) => {
    assert.ok(browser !== undefined, "CI looks at the report: install chromium before");
    const text = (x: number, words: string) => `<text class="label" x="${x}" y="20">${words}</text>`;
    const chart = `<svg class="chart" viewBox="0 0 100 40" width="100"><title>t</title>${text(5, "one")}${
      text(10, "two")
    }${text(90, "leaves")}<g class="mean"><circle cx="10" cy="17" r="5"/></g></svg>`;
    const wide = `<div style="width: 2000px">wide</div>`;
    Deno.writeTextFileSync(
      `${folder}/bad.html`,
      `<!DOCTYPE html><meta name="viewport" content="width=device-width">\
${chart}${wide}<script>console.error("oops")</script>`,
    );
    const { faults } = await look(browser, folder, ["bad.html"], folder);
    for (
      const fault of [
        /wider than the window/,
        /"one" on "two"/,
        /"leaves" leaves/,
        /"one" on a mark/,
        /console.*oops/,
      ]
    ) {
      assert.ok(faults.some((found) => fault.test(found)), `${fault} is found among ${faults.join("; ")}`);
    }
  });
}

function look(
  browser: string,
  folder: string,
  names: readonly string[],
  artifacts = ARTIFACTS,
): Promise<Seen> {
  Deno.mkdirSync(artifacts, { recursive: true });
  const flags = [`--allow-write=${folder},${artifacts}`];
  return lookWith(browser, "test/report/look.ts", flags, [folder, artifacts, ...names]);
}
