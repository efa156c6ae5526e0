/** What was run: configuration, versions, machine, and the command that does it again. */

import { commandLines, type StageCommand } from "./commands.ts";
import type { Arm, Config, Results } from "./collect.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import { count } from "./numbers.ts";
import { shown } from "./shown.ts";
import { NONE } from "./summary.ts";

/** The section that lets somebody else do it again. */
export function provenanceSection(results: Results): Markup {
  return markup`<section aria-labelledby="run"><h2 id="run">What was run</h2>
${commandsPart(results.commands)}
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

function versionsPart({ versions }: Results): Content {
  if (Object.keys(versions).length === 0) return null;
  return markup`<h3>Versions</h3><p class="note">${settingsList(versions)}</p>`;
}
