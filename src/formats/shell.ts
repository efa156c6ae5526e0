/** Command lines for a reader to copy. */

/** As a shell takes it for one word. */
export function shellWord(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A pipeline file with the changes of its settings, as they are typed after a command. */
export function settingsWords(
  { file, set }: { readonly file: string; readonly set: readonly string[] },
): string {
  return [file, ...set.flatMap((change) => ["--set", change])].map(shellWord).join(" ");
}

/** The task that runs a pipeline file's stages of one kind; those of some kinds are for use without a file. */
export function taskOf(kind: string): string {
  return ["fetch", "import", "export"].includes(kind) ? "pipeline" : kind;
}
