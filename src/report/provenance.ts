/** What was run: configuration, versions, machine, and the command that does it again. */

import { commandLines, type StageCommand } from "./commands.ts";
import type { Arm, Config, Results, Staged } from "./collect.ts";
import { listed } from "./headline.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import { count, plural } from "./numbers.ts";
import { type Replicates, replicatesOf } from "./replicates.ts";
import { shown } from "./shown.ts";
import { NONE } from "./summary.ts";
import { table } from "./table.ts";

/** The section that lets somebody else do it again. */
export function provenanceSection(results: Results): Markup {
  return markup`<section aria-labelledby="run"><h2 id="run">What was run</h2>
${commandsPart(results.commands)}
${machinesPart(results)}
<h3>Arms</h3>
${armsPart(replicatesOf(results))}
${stagesPart(results.configs)}
${versionsPart(results)}
</section>
`;
}

function commandsPart(stages: readonly StageCommand[]): Content {
  if (stages.length === 0) return null;
  return markup`<p>To run it again:</p>
<pre><code>${commandLines(stages).join("\n")}</code></pre>`;
}

/** Where it was computed, as far as the stages say. */
function machinesPart({ arms, decodings }: Results): Content {
  const trained = arms.flatMap(({ id, training }) => {
    if (training === null) return [];
    const { cpu, device, threads } = training;
    return [{ id, machine: `${cpu ?? device}, ${plural(threads, "thread")}` }];
  });
  const decoded = decodings.flatMap(({ id, value: { machine } }) => {
    const { gpu, cpu, device, cpus, threads } = machine;
    return [{
      id,
      machine: `${gpu ?? cpu ?? device}, ${plural(threads, "thread")} on ${plural(cpus, "core")}`,
    }];
  });
  const said = [...inWords("Trained", trained), ...inWords("Decoded", decoded)];
  return said.length > 0 && markup`<h3>Machine</h3><p class="note">${said.join(" ")}</p>`;
}

function inWords(what: string, on: readonly { readonly id: string; readonly machine: string }[]): string[] {
  const machines = [...Map.groupBy(on, ({ machine }) => machine)];
  const who = (ids: readonly string[]) => machines.length === 1 ? "" : ` (${listed(ids)})`;
  if (machines.length === 0) return [];
  return [
    `${what} on ${machines.map(([machine, some]) => machine + who(some.map(({ id }) => id))).join("; ")}.`,
  ];
}

/** A set of replicates with its settings as text. */
interface Column {
  readonly name: string;
  readonly settings: ReadonlyMap<string, string>;
}

/** So many sets stand beside each other, a row for each setting; more of them below each other. */
const BESIDE = 6;

function armsPart(sets: readonly Replicates[]): Content {
  const columns = sets.map((set): Column => ({ name: set.label, settings: settingsOf(set) }));
  const keys = [...new Set(columns.flatMap(({ settings }) => [...settings.keys()]))];
  if (columns.length <= BESIDE) return settingsTable(keys, columns);
  const value = ({ settings }: Column, key: string) => settings.get(key) ?? NONE;
  const [alike, unlike] = [true, false].map((agree) =>
    keys.filter((key) => columns.every((column) => value(column, key) === value(columns[0]!, key)) === agree)
  );
  return [
    markup`<p class="note">In all arms: ${pairs(alike!.map((key) => [key, value(columns[0]!, key)]))}.</p>`,
    table("The settings in which arms differ.", [
      { heading: "arm", cell: ({ name }) => name },
      ...unlike!.map((key) => ({ heading: key, words: true, cell: (column: Column) => value(column, key) })),
    ], columns),
  ];
}

/** What its arms have, each value once. */
function settingsOf({ arms }: Replicates): Map<string, string> {
  const values = new Map<string, Set<string>>();
  for (const { arm } of arms) {
    for (const [key, value] of flattened({ ...arm.config, ...measured(arm) })) {
      values.set(key, (values.get(key) ?? new Set()).add(value));
    }
  }
  return new Map([...values].map(([key, some]) => [key, listed([...some])]));
}

/** What only the run itself knew: where `auto` led, and the size. */
function measured({ training }: Arm): Config {
  if (training === null) return {};
  const { parameters, device, threads, versions } = training;
  return { "device used": device, "threads used": threads, parameters: count(parameters.total), versions };
}

/** One row a setting, one column a set; a row on which all agree has one cell. */
function settingsTable(keys: readonly string[], columns: readonly Column[]): Markup {
  const caption = "The settings of each arm; one value where all arms agree.";
  return markup`<figure class="table"><figcaption>${caption}</figcaption><div class="scroll"><table class="settings">
<thead><tr><th scope="col" class="words">setting</th>${
    columns.map(({ name }) => markup`<th scope="col" class="words">${name}</th>`)
  }</tr></thead>
<tbody>
${keys.map((key) => settingRow(key, columns.map(({ settings }) => settings.get(key) ?? NONE)))}</tbody>
</table></div></figure>
`;
}

function settingRow(key: string, values: readonly string[]): Markup {
  const agree = values.every((value) => value === values[0]);
  return markup`<tr><th scope="row" class="words"><code>${key}</code></th>${
    agree ? markup`<td class="words" colspan="${values.length}">${values[0]!}</td>` : values.map(settingCell)
  }</tr>
`;
}

function settingCell(value: string): Markup {
  return markup`<td class="words">${value}</td>`;
}

/** Stages with equal settings stand together. */
function stagesPart(configs: readonly Staged<Config>[]): Content {
  const groups = Map.groupBy(configs, ({ value }) => JSON.stringify(flattened(value)));
  return [...groups.values()].map((group) => {
    const names = group.map(({ id }) => id);
    return markup`<h3>Stage${group.length > 1 && "s"} ${listed(names)}</h3><p class="note">${
      pairs(flattened(group[0]!.value))
    }</p>`;
  });
}

function pairs(settings: readonly (readonly [string, string])[]): Content {
  return settings.map(([key, value], i) => markup`${i > 0 && ", "}<code>${key}</code> ${value}`);
}

/** What every stage has and the page shows elsewhere. */
const SHOWN_ELSEWHERE = new Set(["id", "run", "needs", "each"]);

/** `{model: {width: 128}}` is `["model.width", "128"]`; lists stand as they are. */
function flattened(config: Config, prefix = ""): [string, string][] {
  return Object.entries(config).flatMap(([key, value]): [string, string][] => {
    if (prefix === "" && SHOWN_ELSEWHERE.has(key)) return [];
    const name = prefix + key;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return flattened(value as Config, `${name}.`);
    }
    return [[name, settingText(value)]];
  });
}

function settingText(value: unknown): string {
  if (typeof value === "string") return shown(value);
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) {
    return value.map(shown).join(", ");
  }
  return JSON.stringify(value) ?? NONE;
}

function versionsPart({ versions }: Results): Content {
  if (Object.keys(versions).length === 0) return null;
  return markup`<h3>Versions</h3><p class="note">${pairs(flattened(versions))}</p>`;
}
