/** A model at work on prompts: what stays the same from one to the next, and how answers are shown. */
import { checkMemory, decodingBytes, freeBytes } from "../decode/memory.ts";
import { isGreedy } from "../decode/sampling.ts";
import type { Decoder } from "../model/mod.ts";
import { UsageError, UserError } from "../stage/errors.ts";
import type { Terminal } from "../stage/terminal.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { statistics } from "./answer.ts";
import { type Continuing, generate } from "./generate.ts";
import type { Order } from "./order.ts";
import { jsonLine, Page, type Paper } from "./page.ts";
import { cutInWords, type Prompt, promptOf } from "./prompt.ts";

/** Sequences that share a forward pass at most. */
const BATCH = 16;
/** Nodes of a tree of drafts at most: each is one more row of a forward pass. */
const TREE_NODES = 16;

/** Where answers go, and what ends them. */
export interface Surroundings {
  readonly paper: Paper;
  readonly terminal: Pick<Terminal, "log">;
  readonly stop: AbortSignal;
  /** Says that the next text may be typed. */
  ask(): void;
}

export class Session {
  readonly #settings: Continuing;

  /** @throws {UsageError} where the order does not fit the model. */
  constructor(
    readonly decoder: Decoder,
    readonly tokenizer: Tokenizer,
    readonly order: Order,
    readonly around: Surroundings,
  ) {
    this.#settings = settingsFor(order, decoder);
    const { paper, terminal } = around;
    const { acceptance, json } = order;
    if (acceptance === "typical") {
      terminal.log("typical acceptance is not lossless: one head gives other text");
    }
    if (paper.hasColour && !json && this.#settings.heads !== 1) {
      terminal.log("green: tokens from accepted drafts");
    }
  }

  /** Continues texts side by side. @param number Of this call, where there are several: each draws anew. */
  async answer(texts: readonly string[], number = 0): Promise<void> {
    const { decoder, tokenizer, order } = this;
    const { paper, terminal, stop } = this.around;
    const { context } = decoder.shape;
    const prompts = texts.map((text) => promptOf(text, tokenizer, context, order.tokens));
    for (const prompt of prompts) if (prompt.cut > 0) terminal.log(cutInWords(prompt, context));
    const heading = (index: number) => {
      if (texts.length > 1) terminal.log(`[${index + 1}/${texts.length}]`);
    };
    const isTyped = order.prompts === null; // stands on the terminal already
    const shown = paper.isTerminal && !isTyped ? texts : [];
    const page = order.json ? null : new Page(paper, texts.length, heading, shown);
    const settings = { ...this.#settings, seed: order.seed + number, batch: this.#batchFor(prompts) };
    const answers = await generate(
      decoder,
      tokenizer,
      prompts,
      settings,
      (index, pieces, answer) => page?.add(index, pieces, answer),
      stop,
    );
    if (order.json) {
      const seed = isGreedy(order.sampling) ? {} : { seed: settings.seed };
      for (const answer of answers) paper.write(jsonLine({ ...answer.toJSON(), ...seed }));
    }
    if (order.stats) terminal.log(statistics(answers));
  }

  /** As many sequences as memory has room for. @throws {UserError} when that is none. */
  #batchFor(prompts: readonly Prompt[]): number {
    const { decoder: { shape, headCount, device } } = this;
    const { heads, tree, treeNodes } = this.#settings;
    const drafting = heads === "auto" ? headCount : heads;
    const together = {
      prompt: Math.max(...prompts.map(({ ids }) => ids.length)),
      newTokens: Math.max(...prompts.map(({ newTokens }) => newTokens)),
      heads: drafting,
      drafted: tree > 1 ? treeNodes : drafting - 1,
    };
    const free = freeBytes(device);
    if (free === null) return BATCH;
    checkMemory("this model", shape, { ...together, sequences: 1 }, free, "--tokens");
    return Math.min(BATCH, Math.floor(free / decodingBytes(shape, { ...together, sequences: 1 })));
  }

  /** Continues one text after another: each line is one, as a JSON string. */
  async converse(lines: AsyncIterable<string>): Promise<void> {
    const { terminal, ask } = this.around;
    terminal.log("type the beginning of a text and press Enter; Ctrl-D ends");
    let number = 0;
    ask();
    for await (const line of lines) {
      try {
        await this.answer([JSON.parse(line)], number++);
      } catch (error) {
        if (!(error instanceof UserError) || error instanceof UsageError) throw error;
        terminal.log(error.message); // another text may do
      }
      ask();
    }
  }
}

/** @throws {UsageError} where the order does not fit the model. */
function settingsFor(
  { heads, tree, acceptance, sampling, stop, seed }: Order,
  { headCount, shape }: Decoder,
): Continuing {
  if (typeof heads === "number" && heads > headCount) {
    throw new UsageError(`--heads ${heads}: the model has ${headCount === 1 ? "one head" : headCount}`);
  }
  if (tree > 1 && shape.heads.kind === "sequential") {
    throw new UsageError(`--tree ${tree}: sequential heads read each other's drafts and draft no trees`);
  }
  const isFixed = heads === "all" || headCount === 1 || (heads === "auto" && tree > 1); // trees have a fixed number
  return {
    heads: isFixed ? headCount : heads,
    sampling,
    acceptance,
    tree,
    treeNodes: TREE_NODES,
    batch: BATCH,
    seed,
    stop,
  };
}
