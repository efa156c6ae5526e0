/** Commands that a page of Markdown tells its reader to type, and whether the command line would take them. */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";

/** Lines of the page's blocks in one language, less empty ones. */
export function linesOfBlocks(markdown: string, language: string): string[] {
  return blocks(markdown, language).flatMap((block) => block.split("\n")).filter((line) =>
    line.trim() !== ""
  );
}

/** The page's fenced blocks in one language. */
export function blocks(markdown: string, language: string): string[] {
  return [...markdown.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map((
    [, body],
  ) => body!);
}

/** The words of a shell command: quotes taken off, a comment and what follows a pipe left out. */
export function words(line: string): string[] {
  const command = line.replace(/\s+#(?![^']*'(?:[^']*'[^']*')*[^']*$).*$/, "");
  const found = command.match(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g) ?? [];
  const end = found.findIndex((word) => /^(\||\|\||&&|&|;|>|>>)$/.test(word));
  return (end < 0 ? found : found.slice(0, end)).map((word) => word.replaceAll(/['"]/g, ""));
}

/** `train quickstart ...` of `deno task -q foretoken train quickstart ...`; undefined for a line that is no such command. */
export function foretokenWords(line: string): string[] | undefined {
  const all = words(line);
  while (/^[A-Z_]+=/.test(all[0] ?? "")) all.shift();
  const at = all.findIndex((word, i) => word === "task" && /^deno(@.*)?$/.test(all[i - 1] ?? ""));
  const rest = at < 0 ? all.slice(all[0] === "foretoken" ? 0 : all.length) : all.slice(at + 1);
  while (rest[0]?.startsWith("-")) rest.shift();
  return rest.length === 0 ? undefined : rest[0] === "foretoken" ? rest.slice(1) : rest;
}

/** The commands, each with an action that does nothing. */
export async function idleCommandLine(): Promise<CommandUnknownOpts> {
  const { commandLine } = await import("../src/cli.ts");
  const program: CommandUnknownOpts = commandLine(() => {});
  const disarm = (command: CommandUnknownOpts): void => {
    command.configureOutput({ writeOut: () => {}, writeErr: () => {} });
    if (command.registeredArguments.length > 0 || command.commands.length === 0) command.action(() => {});
    command.commands.forEach(disarm);
  };
  disarm(program);
  return program;
}

/** What the command line has against some words; undefined where it would run them. */
export async function refusalOf(given: readonly string[]): Promise<string | undefined> {
  const program = await idleCommandLine();
  try {
    await program.parseAsync(given, { from: "user" });
    return undefined;
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return /^commander\.(help|helpDisplayed|version)$/.test(code ?? "") ? undefined : message;
  }
}
