/** Continuations of the same prompts side by side, with the accepted drafts marked. */

import type { Results } from "./collect.ts";
import { armName } from "./headline.ts";
import type { DecodedArm, Sample } from "./inputs.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import { percent, plural } from "./numbers.ts";
import { replicatesOf } from "./replicates.ts";

/** Prompts that stand open on the page, and those that unfold. */
const OPEN = 2, FOLDED = 4;
/** Characters of a prompt that stand before each continuation; a longer one stands whole above them. */
const TAIL = 80;
/** Arms side by side. */
const ARMS = 12;

/** An arm under the name that it has here, and what it wrote. */
interface Writer {
  readonly name: string;
  readonly samples: readonly Sample[];
}

/** The continuations of one arm of each set, or nothing where no decoding was among the inputs. */
export function samplesSection(results: Results): Content {
  const all = writersOf(results);
  const writers = all.slice(0, ARMS);
  const prompts = [...new Set(writers.flatMap(({ samples }) => samples.map(({ prompt }) => prompt)))];
  if (prompts.length === 0) return null;
  const [open, folded] = [prompts.slice(0, OPEN), prompts.slice(OPEN, OPEN + FOLDED)];
  const left = [
    all.length > writers.length && plural(all.length - writers.length, "arm"),
    prompts.length > OPEN + FOLDED && plural(prompts.length - OPEN - FOLDED, "prompt"),
  ].filter((part) => part !== false);
  return markup`<section aria-labelledby="samples"><h2 id="samples">Samples</h2>
<p>The same prompt (grey) continued by each arm. <mark>Marked and underlined</mark>: tokens that came from accepted
drafts; the others are head 1's own, one a forward. Control characters are spelt out, as [U+0007].${
    results.arms.length > all.length && " Of several seeds, the first is shown."
  }${left.length > 0 && ` ${left.join(" and ")} more: see decode.json.`}</p>
${open.map((prompt, i) => samplesOf(prompt, i + 1, writers))}
${
    folded.length > 0 &&
    markup`<details class="long"><summary>${plural(folded.length, "more prompt")}</summary>
${folded.map((prompt, i) => samplesOf(prompt, OPEN + i + 1, writers))}</details>`
  }
</section>
`;
}

/** Of each set the first arm that has samples; arms that only a decoding knows are sets of their own. */
function writersOf(results: Results): Writer[] {
  const decoded = Map.groupBy(results.decodings.flatMap(({ value }) => value.arms), ({ id }) => id);
  return replicatesOf(results).flatMap(({ arms, label, heads }): Writer[] => {
    const samples = (id: string) => (decoded.get(id) ?? []).flatMap(samplesIn);
    const first = arms.find(({ arm }) => samples(arm.id).length > 0);
    if (first === undefined) return [];
    const { arm, seed } = first;
    const name = arms.length === 1 ? armName(arm) : `${label} (K=${heads}), seed ${seed}`;
    return [{ name, samples: samples(arm.id) }];
  });
}

const samplesIn = ({ domains }: DecodedArm): Sample[] => domains.flatMap(({ samples }) => samples);

function samplesOf(prompt: string, number: number, writers: readonly Writer[]): Markup {
  const tail = [...prompt].slice(-TAIL).join("");
  return markup`<div class="sample"><h3>Prompt ${number}</h3>${
    tail !== prompt && markup`<div class="text prompt">${prompt}</div>`
  }<div class="columns">${
    writers.flatMap(({ name, samples }) =>
      samples.filter((sample) => sample.prompt === prompt).map((sample) =>
        markup`<div><p class="kind">${name}${
          shareDrafted(sample)
        }</p><div class="text"><span class="prompt">${tail === prompt ? "" : "…"}${tail}</span>${
          continuation(sample)
        }</div></div>
`
      )
    )
  }</div></div>
`;
}

/** How much of the text came from drafts, where any did. */
function shareDrafted({ text, drafted }: Sample): string {
  const characters = drafted.reduce((sum, [start, end]) => sum + end - start, 0);
  return characters === 0 ? "" : `, ${percent(characters / text.length)} drafted`;
}

function continuation({ text, drafted }: Sample): Content[] {
  const parts: Content[] = [];
  let at = 0;
  for (const [start, end] of drafted) {
    const [from, to] = [Math.max(at, characterStart(text, start)), characterEnd(text, end)];
    if (from >= to) continue;
    parts.push(text.slice(at, from), markup`<mark>${text.slice(from, to)}</mark>`);
    at = to;
  }
  return [...parts, text.slice(at)];
}

/** A range that begins or ends inside of a surrogate pair takes the whole character. */
function characterStart(text: string, at: number): number {
  return isInsidePair(text, at) ? at - 1 : at;
}

function characterEnd(text: string, at: number): number {
  return isInsidePair(text, at) ? at + 1 : at;
}

function isInsidePair(text: string, at: number): boolean {
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(at - 1, at + 1));
}
