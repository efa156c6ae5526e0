/** What an arm's decoding came to, as lines of a log. */
import { aligned } from "../formats/columns.ts";
import type { Acceptance } from "./acceptance.ts";
import type { Equality } from "./compare.ts";
import type { ArmResult, BatchResult, DomainResult, Measurement } from "./results.ts";
import type { PartTimes } from "./parts.ts";

const NONE = "-";
const HEADINGS = [
  "domain",
  "batch",
  "heads",
  "tokens/s",
  "tokens/forward",
  "speed-up",
  "ideal",
  "reached",
  "ms/forward",
  "bookkeeping",
  "outputs equal",
];

/** A table, and a line on each domain. */
export function linesOf({ id, kernels, domains }: ArmResult): string[] {
  const rows = domains.flatMap((domain) => domain.batches.flatMap((batch) => rowsOf(domain, batch)));
  return [
    `${id}, ${kernels} kernels:`,
    ...aligned([HEADINGS, ...rows]).map((line) => `  ${line}`),
    ...domains.map((domain) => `${id}: ${sentence(domain)}`),
  ];
}

function rowsOf({ name }: DomainResult, { batch, other_plain, measurements }: BatchResult): string[][] {
  const other = other_plain && [
    name,
    String(batch),
    `plain, ${other_plain.kernels}`,
    rate(other_plain.tokens_per_s),
    "1.00",
    times(other_plain.tokens_per_s / bestPlain(measurements[0]!)),
  ];
  const rows = measurements.map((measured) => [
    name,
    String(batch),
    measured.heads === 1 ? "plain" : String(measured.heads),
    rate(measured.tokens_per_s),
    measured.tokens_per_forward.toFixed(2),
    times(measured.speedup),
    measured.ideal === null ? NONE : times(measured.ideal.speedup),
    measured.ideal === null ? NONE : percent(measured.ideal.reached),
    measured.forward === null ? NONE : sumOf(measured.forward.milliseconds).toFixed(2),
    measured.forward === null ? NONE : percent(bookkeepingShare(measured.forward.milliseconds)),
    verdict(measured.equal),
  ]);
  return other === null ? rows : [other, ...rows];
}

/** Plain decoding's speed-up is its own speed over that of the best plain decoder. */
const bestPlain = ({ tokens_per_s, speedup }: Measurement): number => tokens_per_s / speedup;

const rate = (tokensPerSecond: number): string => Math.round(tokensPerSecond).toLocaleString("en");
const times = (ratio: number): string => `${ratio.toFixed(2)}x`;
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

const sumOf = ({ trunk, heads, sampling, bookkeeping }: PartTimes): number =>
  trunk + heads + sampling + bookkeeping;
const bookkeepingShare = (parts: PartTimes): number => parts.bookkeeping / sumOf(parts);

function verdict(equal: Equality | null): string {
  if (equal === null) return "drawn at random";
  const { identical, ties, different } = equal;
  const others = [ties > 0 ? `${ties} ties` : "", different > 0 ? `${different} different` : ""];
  return [`${identical} of ${identical + ties + different}`, ...others.filter((part) => part !== "")].join(
    ", ",
  );
}

function sentence({ name, repetition: { plain, truth }, teacher_forced, batches }: DomainResult): string {
  const free = batches[0]!.measurements.findLast(({ heads }) => heads !== "auto" && heads > 1);
  const repeated = `rep-4 ${percent(plain.rep_4)}, new bigrams ${percent(plain.distinct_2)}` +
    (truth === null ? "" : `; of the true text ${percent(truth.rep_4)}, ${percent(truth.distinct_2)}`);
  if (free === undefined) return `${name}: ${repeated}`;
  const forced = teacher_forced === null ? "" : `, on the true text ${depths(teacher_forced.acceptance)}`;
  return `${name}: acceptance by depth ${depths(free.acceptance)}${forced}; ${repeated}`;
}

const depths = (acceptance: readonly Acceptance[]): string =>
  acceptance.map(({ conditional }) => conditional === null ? NONE : percent(conditional)).join(" / ");
