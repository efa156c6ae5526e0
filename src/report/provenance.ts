/** What was run: text, configuration, versions, machine, and the command that does it again. */

import { commandLines, type StageCommand } from "./commands.ts";
import type { Arm, Config, Dataset, Results } from "./collect.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import { count, plural, size } from "./numbers.ts";
import { NONE } from "./summary.ts";
import { type Column, table } from "./table.ts";

/** Sources that a table lists; a folder of text may have thousands. */
const SOURCES = 12;

/** The section that lets somebody else do it again. */
export function provenanceSection(results: Results): Markup {
  return markup`<section aria-labelledby="run"><h2 id="run">What was run</h2>
${commandsPart(results.commands)}
${
    results.data.length === 0
      ? markup`<p>No prepared text was among this report's inputs.</p>`
      : results.data.map(dataPart)
  }
<h3>Arms</h3>
${armsTable(results.arms)}
${
    results.configs.map(({ id, value }) =>
      markup`<h3>Stage ${id}</h3><p class="note">${settingsList(value)}</p>`
    )
  }
${versionsPart(results)}
</section>
`;
}

function commandsPart(stages: readonly StageCommand[]): Content {
  if (stages.length === 0) return null;
  return markup`<p>To run it again:</p>
<pre><code>${commandLines(stages).join("\n")}</code></pre>`;
}

function dataPart({ id, value: { sources, splits } }: Dataset): Markup {
  const bytes = splits.train.bytes + splits.val.bytes;
  const columns: Column<readonly [string, { documents: number; bytes: number; tokens: number }]>[] = [
    { heading: "part", cell: ([name]) => name },
    { heading: "documents", cell: ([, part]) => count(part.documents) },
    { heading: "bytes", cell: ([, part]) => count(part.bytes) },
    { heading: "tokens", cell: ([, part]) => count(part.tokens) },
  ];
  const shownSources = sources.slice(0, SOURCES);
  return markup`<h3>Text: ${id}</h3>
${
    table(`${size(bytes)} of text as bytes; the held-out part is never trained on.`, columns, [
      ["training", splits.train],
      ["held out", splits.val],
    ])
  }<p class="note">${plural(sources.length, "source")}: ${
    shownSources.map((source, i) =>
      markup`${i > 0 && ", "}<code>${shown(source.path)}</code> (${size(source.bytes)})`
    )
  }${sources.length > SOURCES && ` and ${count(sources.length - SOURCES)} more`}.</p>
`;
}

function armsTable(arms: readonly Arm[]): Markup {
  const configs = arms.map((arm): [string, Config] => [arm.id, { ...arm.config, ...measured(arm) }]);
  return settingsTable("The settings of each arm; one value where all arms agree.", configs);
}

/** What only the run itself knew: where `auto` led, and the size. */
function measured({ training }: Arm): Config {
  if (training === null) return {};
  const { parameters, device, threads, versions } = training;
  return { "device used": device, "threads used": threads, parameters: count(parameters.total), versions };
}

/** One row a setting, one column an arm; a row on which all agree has one cell. */
function settingsTable(caption: string, configs: readonly (readonly [string, Config])[]): Markup {
  const flat = configs.map(([, config]) => new Map(flattened(config)));
  const keys = new Set(flat.flatMap((settings) => [...settings.keys()]));
  return markup`<figure class="table"><figcaption>${caption}</figcaption><div class="scroll"><table class="settings">
<thead><tr><th scope="col" class="words">setting</th>${
    configs.map(([name]) => markup`<th scope="col" class="words">${name}</th>`)
  }</tr></thead>
<tbody>
${[...keys].map((key) => settingRow(key, flat.map((settings) => settings.get(key) ?? NONE)))}</tbody>
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

function settingsList(config: Config): Content {
  return flattened(config).map(([key, value], i) => markup`${i > 0 && ", "}<code>${key}</code> ${value}`);
}

/** What every stage has and the page shows elsewhere. */
const SHOWN_ELSEWHERE = new Set(["id", "run", "needs"]);

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

/** A path from the root without its first folders: they say where somebody's files lie, not what was run. */
function shown(text: string): string {
  const parts = text.split("/");
  return text.startsWith("/") && parts.length > 3 ? `…/${parts.slice(-2).join("/")}` : text;
}

function versionsPart({ versions }: Results): Content {
  if (Object.keys(versions).length === 0) return null;
  return markup`<h3>Versions</h3><p class="note">${settingsList(versions)}</p>`;
}
