/**
 * SemScore (Aynetdinov and Akbik 2024): the cosine of the embeddings of a text and its reference. Theirs are of
 * all-mpnet-base-v2; which model it is here is part of the figure.
 */

import * as z from "zod";
import type { StageIo } from "../../stage/io.ts";
import { collect } from "./collect.ts";
import type { Server } from "./server.ts";

/** Texts of one request. */
const BATCH = 16;

/** Embeddings by text; texts without one are left out. */
export type Embeddings = ReadonlyMap<string, readonly number[]>;

/** Asks for the embeddings of some texts, each once. Blank texts have none. */
export async function embed(
  texts: readonly string[],
  server: Server,
  io: Pick<StageIo, "stop" | "progress" | "log">,
): Promise<Embeddings> {
  const wanted = [...new Set(texts)].filter((text) => text.trim() !== "");
  const batches = Array.from(
    { length: Math.ceil(wanted.length / BATCH) },
    (_, i) => wanted.slice(i * BATCH, (i + 1) * BATCH),
  );
  const answers = await collect("SemScore", batches, server.config, io, async (input, stop) => {
    const { data } = await server.ask(
      "embeddings",
      { input, encoding_format: "float" },
      answerTo(input),
      stop,
    );
    return input.map((text, i) =>
      [text, (data.find(({ index }) => index === i) ?? data[i]!).embedding] as const
    );
  });
  return new Map(answers.flatMap((answer) => answer ?? []));
}

const answerTo = (input: readonly string[]) =>
  z.object({
    data: z.array(z.object({ index: z.int().optional(), embedding: z.array(z.number()).min(1) }))
      .length(input.length),
  });

/** Between -1 and 1; null where an embedding is missing, has no length, or they are not of one size. */
export function semscore(text: string, reference: string, embeddings: Embeddings): number | null {
  const [a, b] = [embeddings.get(text), embeddings.get(reference)];
  if (a === undefined || b === undefined || a.length !== b.length) return null;
  const dot = (x: readonly number[], y: readonly number[]) =>
    x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  return Number.isFinite(cosine) ? Math.max(-1, Math.min(1, cosine)) : null;
}
