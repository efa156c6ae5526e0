/** How each parameter is trained: which part of the model it belongs to, by which method, and whether it decays. */
import type { Parameters } from "../model/mod.ts";
import type { Part } from "./curriculum.ts";

/** The parts that a parameter belongs to: it stands still when one of them is frozen. */
export function partsOf(name: string, tied: boolean): Part[] {
  if (name === "embedding") return tied ? ["embedding", "head1"] : ["embedding"];
  if (name === "unembedding") return ["trunk", "head1"]; // one for all heads: head 1 would not stand still without it
  const head = /^heads\.(\d+)/.exec(name)?.[1];
  return [head === undefined ? "trunk" : `head${Number(head)}`];
}

/** Parameters that take the same step. */
export interface Group {
  readonly method: "adamw" | "muon";
  /** Matrices do, vectors (norms) do not. */
  readonly decays: boolean;
  /** Factor of the learning rate. */
  readonly scale: number;
  readonly names: string[];
}

/** Rows of these matrices stand for tokens: Muon, which is for maps between layers, leaves them to AdamW. */
const OF_TOKENS = /^(embedding|unembedding|heads\.\d+)$/;

/** All parameters, by how they are trained. */
export function groupsOf(
  parameters: Parameters,
  method: Group["method"],
  scales: { readonly heads: number; readonly embedding: number },
): Group[] {
  const groups = new Map<string, Group>();
  for (const [name, { shape }] of parameters.entries()) {
    const matrix = shape.length > 1;
    const group = {
      method: matrix && !OF_TOKENS.test(name) ? method : "adamw",
      decays: matrix,
      scale: scaleOf(name, scales),
    } as const;
    const key = JSON.stringify(group);
    if (!groups.has(key)) groups.set(key, { ...group, names: [] });
    groups.get(key)!.names.push(name);
  }
  return [...groups.values()];
}

/** A tied matrix is the embedding. */
function scaleOf(name: string, { heads, embedding }: { heads: number; embedding: number }): number {
  if (name === "embedding") return embedding;
  return name === "unembedding" || name.startsWith("heads.") ? heads : 1;
}
