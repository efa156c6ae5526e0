/** The table of what each kind of stage may touch, in words: for readers, from the table that binds the stages. */

import type { StageKind } from "../config/schema.ts";
import { type Access, generateAccess, type Native, TABLE, watchAccess } from "./permissions.ts";

/** What native code is called. */
export const NATIVE: Readonly<Record<Native, string>> = {
  torch: "libtorch",
  text: "the text library",
  none: "no",
};

/** One kind of process. */
export interface KindWords {
  readonly kind: string;
  readonly reads: string;
  readonly writes: string;
  readonly native: string;
  readonly gpu: string;
  readonly network: string;
}

const GPU = "if any";

/** A row for each kind of stage, and for the other two processes that are bound. */
export function permissionTable(): KindWords[] {
  const places = { project: "", run: "", deno: "", torch: undefined, sandbox: "auto" } as const;
  const generating = { arm: "", text: "", device: "auto", threads: "auto" } as const;
  return [
    ...(Object.keys(TABLE) as StageKind[]).map(ofKind),
    { kind: "generate", reads: "one arm, its tokenizer", ...ofAccess(generateAccess(generating)) },
    { kind: "watch", reads: "the run, its page", ...ofAccess(watchAccess(0, places)) },
  ];
}

function ofKind(kind: StageKind): KindWords {
  const { native, reads, connects } = TABLE[kind];
  return {
    kind,
    reads: ["what it needs", ...(reads ? [reads.words] : [])].join(", "),
    writes: "its folder",
    native: typeof native === "string" ? NATIVE[native] : native.words,
    gpu: native === "torch" ? GPU : "no",
    network: connects?.words ?? "no",
  };
}

function ofAccess({ write, native, cuda, listen }: Access): Omit<KindWords, "kind" | "reads"> {
  return {
    writes: write.length > 0 ? "its folder" : "nothing",
    native: NATIVE[native],
    gpu: cuda ? GPU : "no",
    network: listen === undefined ? "no" : "waits at one port of this machine",
  };
}
