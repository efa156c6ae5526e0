/**
 * `report`: how long the page of a run with many arms takes and how large it is. Aims: 60 arms, of 3,000 logged steps each,
 * in under 10 s and under 5 MB.
 *
 * Argument: the number of arms, 60 without it.
 */
import { join } from "node:path";
import process from "node:process";
import { run as report } from "../../src/report/report.ts";
import { writeRun } from "./report_case.ts";
import { print, printTable } from "./table.ts";

const FOLDER = "native/build/bench/report";

export async function run(args: readonly string[]): Promise<void> {
  const size = { arms: Number(args[0] ?? 60), steps: 3000, groups: 67, heads: 4, samples: 16 };
  Deno.mkdirSync("native/build/bench", { recursive: true });
  remove();
  const folder = join(Deno.cwd(), FOLDER);
  try {
    const needs = writeRun(folder, size);
    const own = join(folder, "report");
    Deno.mkdirSync(own);
    const [began, before] = [performance.now(), process.cpuUsage()];
    await report({ id: "report", run: "report", needs: needs.map(({ id }) => id) }, {
      ...{ id: "report", folder: own, needs, interactive: false, stop: new AbortController().signal },
      ...{ log: () => {}, progress: () => {} },
    });
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(before);
    const cpu = (user + system) / 1e6; // what a busy machine does not stretch
    print(`${size.arms} arms of ${size.steps} logged steps, ${needs.length} stages:`);
    print(`report in ${seconds.toFixed(2)} s, ${cpu.toFixed(2)} s of CPU time`);
    const files = [...Deno.readDirSync(own)].map(({ name }) => name).sort();
    printTable(
      ["file", "MB"],
      files.map((name) => [name, (Deno.statSync(join(own, name)).size / 1e6).toFixed(2)]),
    );
  } finally {
    remove();
  }
}

function remove(): void {
  try {
    Deno.removeSync(FOLDER, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
