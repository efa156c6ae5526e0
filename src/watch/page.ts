/** The live page: what it shows of a run, and the frame around it. The charts are the report's own. */
import { lineChart } from "../report/charts/chart.ts";
import type { Arm } from "../report/collect.ts";
import { armName } from "../report/headline.ts";
import { Markup, markup } from "../report/markup.ts";
import { count, decimal, duration, percent, size } from "../report/numbers.ts";
import { PAGE_STYLE } from "../report/style.ts";
import { lastStep } from "../report/steps.ts";
import { trainingSection } from "../report/training.ts";
import type { Snapshot, StageView } from "./run.ts";

const STYLE = `
${PAGE_STYLE}
#lost { margin: 0; padding: .5rem .9rem; background: var(--panel); border-left: 4px solid var(--series-1); }
.stages { list-style: none; margin: 1.5rem 0; padding: 0; display: grid; gap: .5rem 1.5rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); }
.stages li { max-width: none; min-width: 0; padding: .6rem .9rem; background: var(--panel); border-left: 4px solid var(--rule); }
.stages .running { border-color: var(--series-0); }
.stages .done { border-color: var(--series-2); }
.stages .failed { border-color: var(--series-1); }
.stages .interrupted { border-color: var(--series-4); }
.stages strong { overflow-wrap: anywhere; }
.stages p { margin: .2rem 0 0; font-size: .9rem; overflow-wrap: anywhere; }
.stages .meter { background: var(--rule); }
.warnings { margin: .5rem 0; padding: 0; list-style: none; }
.warnings li { max-width: none; margin: .5rem 0; padding: .5rem .9rem; background: var(--panel); border-left: 4px solid var(--series-4); }
`;

/** The whole page. Without JavaScript it shows the moment at which it was loaded. */
export function livePage(snapshot: Snapshot): string {
  return `<!DOCTYPE html>\n${
    markup`<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>${snapshot.name}: foretoken watch</title>
<style>${new Markup(STYLE)}</style>
<script src="/client.js" defer="defer"></script>
</head>
<body>
<p id="lost" role="alert" hidden="hidden">No answer: is <code>foretoken watch</code> still running? The page shows what was last known.</p>
<div id="live">${liveSection(snapshot)}</div>
</body>
</html>
`.source
  }`;
}

/** What changes: the page replaces it as a whole. */
export function liveSection({ name, stages, arms, problems }: Snapshot): Markup {
  return markup`<header>
<p class="kind">foretoken watch: ${summary(stages)}</p>
<h1>${name}</h1>
${problems.map((problem) => markup`<p role="alert">${problem}</p>`)}
<ul class="stages">${stages.map((stage) => stageItem(stage, arms.find(({ id }) => id === stage.id)))}</ul>
</header>
<main>${
    arms.length === 0
      ? markup`<p class="soft">No training has written a line yet.</p>`
      : trainingSection({ arms }, throughput(arms))
  }</main>
`;
}

/** `2 of 5 stages done, forward is running`. */
function summary(stages: readonly StageView[]): string {
  const done = stages.filter(({ state }) => state === "done").length;
  const others = stages.filter(({ state }) => state !== "done" && state !== "waiting")
    .map(({ id, state }) => state === "running" ? `${id} is running` : `${id} ${IN_WORDS[state]}`);
  return [`${done} of ${stages.length} stages done`, ...others].join(", ");
}

const IN_WORDS: Record<StageView["state"], string> = {
  waiting: "waits",
  running: "running",
  done: "done",
  failed: "failed",
  interrupted: "was stopped",
};

function stageItem(stage: StageView, arm: Arm | undefined): Markup {
  const { id, run, state, seconds, error } = stage;
  const time = seconds === null ? "" : ` in ${duration(seconds)}`;
  return markup`<li class="${state}"><strong>${id}</strong> <span class="soft">${run}</span>
<p>${IN_WORDS[state]}${time}${error !== null && markup`: ${error}`}</p>
${arm && state !== "waiting" && armProgress(stage, arm)}</li>
`;
}

/** Where a training stands: a bar, and the figures of its last line. */
function armProgress({ state, steps }: StageView, arm: Arm): Markup {
  const last = arm.steps.at(-1);
  const step = last?.step ?? 0;
  const share = steps === null ? 0 : Math.min(1, step / steps);
  const validation = arm.validations.at(-1);
  const figures = [
    steps === null ? `step ${count(step)}` : `step ${count(step)} of ${count(steps)}`,
    last?.tokens_per_s !== undefined && `${count(last.tokens_per_s)} tokens/s`,
    typeof last?.mfu === "number" && `MFU\u00a0${percent(last.mfu)}`,
    last?.memory_bytes !== undefined && size(last.memory_bytes),
    last?.lr !== undefined && `lr\u00a0${last.lr.toExponential(1)}`,
    validation !== undefined && `${decimal(validation.bits_per_byte, 3)} bits per byte held out`,
    state === "running" && left(arm, steps),
  ].filter((figure) => typeof figure === "string");
  return markup`<svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label="${
    percent(share)
  } done"><rect width="${(100 * share).toFixed(1)}" height="6"/></svg>
<p class="soft">${figures.join(", ")}</p>`;
}

/** Time that is left at the present speed; null where it is not known. */
function left(arm: Arm, steps: number | null): string | null {
  const last = arm.steps.at(-1);
  if (!last?.tokens_per_s || !last.tokens || steps === null) return null;
  const seconds = (steps - last.step) * (last.tokens / last.step) / last.tokens_per_s;
  if (seconds <= 0) return null;
  return `about ${seconds < 10 ? `${Math.ceil(seconds)} s` : duration(seconds)} left`;
}

function throughput(arms: readonly Arm[]): Markup {
  const series = arms.map((arm, style) => ({
    name: armName(arm),
    style,
    points: arm.steps.map(({ step, tokens_per_s }) => [step, tokens_per_s ?? null] as const),
  }));
  return markup`<h3>Speed</h3>
<div class="charts"><figure>${
    lineChart({
      id: "throughput",
      title: "Tokens per second in training",
      description: "Training tokens per second of each arm over optimizer steps.",
      x: { label: "optimizer step", range: [0, lastStep(arms)] },
      y: { label: "tokens per second", range: [0, 1] },
      series,
    })
  }</figure></div>
`;
}
