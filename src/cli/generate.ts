/** `foretoken generate`: a trained model continues texts, in a process of its own. */

import { type Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { dirname, join } from "node:path";
import { reading } from "../formats/file_errors.ts";
import { settingsWords } from "../formats/shell.ts";
import type { Order } from "../generate/order.ts";
import { EXIT, UsageError, UserError } from "../stage/errors.ts";
import { linesOf } from "../stage/lines.ts";
import { STOP_SIGNALS, stopOnSignals } from "../stage/signals.ts";
import { collect, command, type Finish, RUNS, wholeNumber } from "./command.ts";
import { complain } from "./terminal.ts";

const HELP = `
A prompt is the beginning of a text: before it stands the end token, as before each document in training.
Without a prompt, on a terminal, each line that is typed is one. Several prompts are decoded side by side.

Decoding takes the likeliest token (--temperature 0) unless told otherwise; its drafts change the speed and not
the text (on a GPU: but for near ties). --temperature 1 draws from the model's own distribution,
which drafts do not change either.

Only the new text goes to standard output: drafted tokens are green there on a terminal (NO_COLOR=1: they are
not), and control characters are shown as \\x1b. It ends with the end token too.

Exit codes: 0 done, 1 failed, 2 wrong command line, 130 stopped.`;

export function addGenerateCommand(program: Command, finish: Finish): void {
  program.addCommand(
    command(
      "generate",
      "continue a text with a trained model; drafted tokens are green",
      "foretoken generate quickstart/forward --prompt 'The fox' --stats",
      "foretoken generate quickstart/forward --temperature 0.8 --top-p 0.95 --seed 7 --prompt 'The fox'",
      "foretoken generate quickstart/forward --prompt-file story.txt --stop $'\\n\\n' > rest.txt",
      "echo 'The fox' | foretoken generate quickstart/forward --prompt-file - --json",
      "foretoken generate quickstart/forward       a prompt is asked for, again and again",
    )
      .addHelpText("after", HELP)
      .argument("<arm>", "RUN/STAGE of a training, or its folder; its newest checkpoint is used")
      .option("--prompt <text>", "the text to continue; may be repeated", collect)
      .option(
        "--prompt-file <file>",
        "a file with it, less its last line break; -: standard input; may be repeated",
        collect,
      )
      .option("--tokens <n>", "new tokens at most; default 256, or what the context leaves", wholeNumber(1))
      .option(
        "--temperature <t>",
        "0: always the likeliest token; above: draws, the wilder the higher",
        from(0),
        0,
      )
      .option("--top-k <n>", "draw from the n likeliest tokens only; 0: from all", wholeNumber(0))
      .option(
        "--top-p <p>",
        "draw from the fewest likeliest tokens that together have this probability",
        above(0, 1),
      )
      .option("--min-p <p>", "draw from tokens of at least this share of the likeliest one's", from(0, 1))
      .option(
        "--repetition-penalty <x>",
        "above 1: tokens that stand there already become less likely",
        above(0),
        1,
      )
      .option("--stop <text>", "end before this text; may be repeated", collect)
      .option("--seed <n>", "of the draws; default a new one, which is said", wholeNumber(0, 2 ** 32 - 1))
      .option(
        "--heads <n>",
        "heads at work: 1 drafts nothing; auto: as many as pay, measured on the way. Default auto; with a " +
          "temperature all, since auto would not give a seed's text again",
        headCount,
      )
      .option("--tree <n>", "draft a tree of the n likeliest tokens of each head", wholeNumber(1), 1)
      .option("--typical", "accept drafts that are typical of the model: faster, other text (not lossless)")
      .addOption(
        new Option("--device <device>", "where to compute").choices(["auto", "cpu", "cuda"] as const)
          .default("auto" as const),
      )
      .option("--threads <n>", "CPU threads; default all cores", wholeNumber(1))
      .option("--json", "print a JSON object for each prompt, in a line")
      .option("--stats", "say at the end how fast it was, and what drafts gave")
      .option(...RUNS)
      .action(async (arm, options) => {
        const { prompt = [], promptFile = [], runs, threads = "auto", device } = options;
        if (promptFile.indexOf("-") !== promptFile.lastIndexOf("-")) {
          throw new UsageError("--prompt-file - twice: standard input can be read once");
        }
        const prompts = [...prompt, ...await Promise.all(promptFile.map(promptIn))];
        const isAsking = prompts.length === 0;
        if (isAsking && !Deno.stdin.isTerminal()) {
          throw new UsageError(
            "No prompt: give --prompt TEXT, --prompt-file FILE, or --prompt-file - for standard input",
          );
        }
        const order: Order = {
          prompts: isAsking ? null : prompts,
          tokens: options.tokens ?? null,
          ...decodingOf(options),
          device,
          threads,
          json: options.json ?? false,
          stats: options.stats ?? false,
        };
        finish(await generate({ ...await findArm(arm, runs), device, threads }, order));
      }),
  );
}

/** Options that say how tokens are chosen; those that are undefined were not given. */
interface Decoding {
  readonly temperature: number;
  readonly topK?: number | undefined;
  readonly topP?: number | undefined;
  readonly minP?: number | undefined;
  readonly repetitionPenalty: number;
  readonly stop?: readonly string[] | undefined;
  readonly seed?: number | undefined;
  readonly heads?: number | "auto" | undefined;
  readonly tree: number;
  readonly typical?: true | undefined;
}

function decodingOf(
  { temperature, topK, topP, minP, repetitionPenalty, stop = [], seed, heads, tree, typical }: Decoding,
): Pick<Order, "sampling" | "stop" | "seed" | "heads" | "tree" | "acceptance"> {
  const isDrawn = temperature > 0;
  for (const [name, value] of Object.entries({ "top-k": topK, "top-p": topP, "min-p": minP })) {
    if (isDrawn || value === undefined) continue;
    throw new UsageError(
      `--${name} ${value}: nothing is drawn at temperature 0; set --temperature too, to 1 say`,
    );
  }
  if (stop.includes("")) throw new UsageError("--stop '': that would end every text before it begins");
  return {
    sampling: {
      temperature,
      top_k: topK ?? 0,
      top_p: topP ?? 1,
      min_p: minP ?? 0,
      repetition_penalty: repetitionPenalty,
    },
    stop,
    seed: isDrawn ? seed ?? newSeed() : 0,
    heads: heads ?? (isDrawn ? "all" : "auto"),
    tree,
    acceptance: typical ? "typical" : "exact",
  };
}

function newSeed(): number {
  const [seed] = crypto.getRandomValues(new Uint32Array(1));
  complain(`seed ${seed}\n`);
  return seed!;
}

/** For options that take a number. */
function from(least: number, most = Infinity): (value: string) => number {
  return (value) => numberIn(value, (x) => x >= least && x <= most, `at least ${least}`, most);
}

function above(bound: number, most = Infinity): (value: string) => number {
  return (value) => numberIn(value, (x) => x > bound && x <= most, `above ${bound}`, most);
}

function numberIn(value: string, isIn: (x: number) => boolean, bound: string, most: number): number {
  const found = value.trim() === "" ? NaN : Number(value);
  if (Number.isFinite(found) && isIn(found)) return found;
  throw new InvalidArgumentError(
    `expected a number, ${bound}${most === Infinity ? "" : ` and at most ${most}`}.`,
  );
}

function headCount(value: string): number | "auto" {
  if (value === "auto") return value;
  const found = Number(value);
  if (/^\d/.test(value) && Number.isInteger(found) && found >= 1) return found;
  throw new InvalidArgumentError("expected a number of heads, at least 1, or auto.");
}

/** The text of a prompt file, less its last line break, which editors and `echo` put there. */
async function promptIn(file: string): Promise<string> {
  const text = file === "-"
    ? await new Response(Deno.stdin.readable).text()
    : reading(file, () => Deno.readTextFileSync(file));
  return text.replace(/\r?\n$/, "");
}

/** Folders of a train stage and of its text. @throws {UserError} where it has no checkpoint. */
async function findArm(given: string, runs: string): Promise<{ arm: string; text: string }> {
  const [{ findStage }, { readStageFile }, { checkpointsIn }] = await Promise.all([
    import("../pipeline/results.ts"),
    import("../pipeline/stage_files.ts"),
    import("../train/checkpoint.ts"),
  ]);
  const arm = findStage(given, "train", runs);
  const { id, needs, command } = readStageFile(arm)!;
  if (checkpointsIn(arm).length === 0) {
    const how = `deno task train ${settingsWords(command)} --stage ${id}`;
    throw new UserError(`${given} has no checkpoint yet: train it first (${how})`);
  }
  return { arm, text: join(dirname(arm), needs.find(({ run }) => run === "prepare")!.id) };
}

/** Starts the process and hands it the order; the exit code. */
async function generate(
  generating: Pick<Order, "device" | "threads"> & { arm: string; text: string },
  order: Order,
): Promise<number> {
  const { findPlaces, startGenerate } = await import("../pipeline/start.ts");
  const child = startGenerate(generating, findPlaces(dirname(generating.arm)));
  stopOnSignals(() => child.kill("SIGTERM"));
  hand(child.stdin, order).catch(() => {}); // it has ended: its exit code says why
  const { code, signal } = await child.status;
  if (signal !== null && STOP_SIGNALS.includes(signal)) return EXIT.interrupted; // it had not begun yet
  return code < 120 || code === EXIT.interrupted ? code : EXIT.failed;
}

/** Writes the order, and where no prompt is given, each line that is typed. */
async function hand(stream: WritableStream<Uint8Array>, order: Order): Promise<void> {
  const writer = stream.getWriter();
  const encoder = new TextEncoder();
  const put = (value: unknown) => writer.write(encoder.encode(`${JSON.stringify(value)}\n`));
  await put(order);
  if (order.prompts === null) { for await (const line of linesOf(Deno.stdin.readable)) await put(line); }
  await writer.close();
}
