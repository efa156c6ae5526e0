/**
 * Opens pages in headless Chromium: `look.ts CHROMIUM FOLDER ARTIFACTS PAGE...`, pages being files of FOLDER. Leaves a screenshot of
 * each view and a PDF of each page in ARTIFACTS, and prints as JSON what was wrong.
 */
import { Chromium, type View } from "./chromium.ts";

const [browser, folder, artifacts, ...pages] = Deno.args as [string, string, string, ...string[]];

/** A desktop's and a phone's. */
const WIDTHS = [1280, 390];
const SCHEMES: readonly View["scheme"][] = ["light", "dark"];

/** Runs in the page: everything unfolded, then what is wider than the page, and which labels of charts are in each other's way. */
const FAULTS = `(() => {
  const folded = document.querySelectorAll("details:not([open])");
  for (const details of folded) details.open = true;
  const faults = [];
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) faults.push("the page is " + wide + " px wider than the window");
  // Boxes of text have room above and below the letters.
  const boxOf = (element, room = 1) => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    return { left: left + room, right: right - room, top: top + room, bottom: bottom - room, element };
  };
  const overlap = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const textOf = ({ element }) => JSON.stringify(element.textContent);
  for (const svg of document.querySelectorAll("svg.chart")) {
    const title = svg.querySelector("title").textContent;
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")].filter((text) => text.textContent !== "").map((text) => boxOf(text));
    texts.forEach((a, i) => {
      if (a.left < frame.left - 1 || a.right > frame.right + 1 || a.top < frame.top - 1 || a.bottom > frame.bottom + 1) {
        faults.push(title + ": " + textOf(a) + " leaves the drawing");
      }
      for (const b of texts.slice(i + 1)) if (overlap(a, b)) faults.push(title + ": " + textOf(a) + " on " + textOf(b));
    });
    const marks = [...svg.querySelectorAll(".mean > :last-child")].map((mark) => boxOf(mark));
    for (const label of texts.filter(({ element }) => element.classList.contains("label"))) {
      if (marks.some((mark) => overlap(label, mark))) faults.push(title + ": " + textOf(label) + " on a mark");
    }
  }
  for (const details of folded) details.open = false;
  return faults;
})()`;

const faults: string[] = [];
let charts = 0;
{
  await using chromium = await Chromium.start(browser, folder);
  for (const page of pages) {
    const name = page.replace(/\.html$/, "");
    for (const width of WIDTHS) {
      await chromium.open(`file://${folder}/${page}`, { width, scheme: SCHEMES[0]! });
      charts += await chromium.evaluate<number>("document.querySelectorAll('svg.chart').length");
      for (const scheme of SCHEMES) {
        await chromium.show(scheme);
        const at = `${name}-${width}-${scheme}`;
        Deno.writeFileSync(`${artifacts}/${at}.png`, await chromium.screenshot());
        faults.push(...(await chromium.evaluate<string[]>(FAULTS)).map((fault) => `${at}: ${fault}`));
      }
    }
    Deno.writeFileSync(`${artifacts}/${name}.pdf`, await chromium.pdf());
  }
  faults.push(...chromium.complaints.map((complaint) => `the console: ${complaint}`));
}
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify({ charts, faults })));
