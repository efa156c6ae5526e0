/** Continuations with the accepted drafts marked, prompt by prompt. */

import type { Results } from "./collect.ts";
import { armName } from "./headline.ts";
import type { DecodedArm, Sample } from "./inputs.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import { plural } from "./numbers.ts";

/** Prompts that stand open on the page; further ones unfold. */
const OPEN = 2;

/** The continuations of every arm, or nothing where no decoding was among the inputs. */
export function samplesSection({ decodings }: Results): Content {
  const arms = decodings.flatMap(({ value }) => value.arms);
  const prompts = [...new Set(arms.flatMap((arm) => samplesIn(arm).map(({ prompt }) => prompt)))];
  if (prompts.length === 0) return null;
  const [open, folded] = [prompts.slice(0, OPEN), prompts.slice(OPEN)];
  return markup`<section aria-labelledby="samples"><h2 id="samples">Samples</h2>
<p>After the prompt (grey) stands what each arm wrote. <mark>Marked and underlined</mark>: tokens that came from accepted
drafts; the others are head 1's own, one a forward. Control characters are spelt out, as [U+0007].</p>
${open.map((prompt, i) => samplesOf(prompt, i + 1, arms))}
${
    folded.length > 0 && markup`<details><summary>${plural(folded.length, "more prompt")}</summary>
${folded.map((prompt, i) => samplesOf(prompt, OPEN + i + 1, arms))}</details>`
  }
</section>
`;
}

const samplesIn = ({ domains }: DecodedArm): Sample[] => domains.flatMap(({ samples }) => samples);

function samplesOf(prompt: string, number: number, arms: readonly DecodedArm[]): Markup {
  return markup`<div class="sample"><h3>Prompt ${number}</h3>${
    arms.flatMap((arm) => {
      return samplesIn(arm).filter((sample) => sample.prompt === prompt).map((sample) =>
        markup`<p class="kind">${armName(arm)}</p><div class="text"><span class="prompt">${prompt}</span>${
          continuation(sample)
        }</div>`
      );
    })
  }</div>
`;
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
