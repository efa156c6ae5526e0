/** What of a setting the page shows. */

/** A path from the root without its first folders: they say where somebody's files lie, not what was run. */
export function shown(text: string): string {
  const parts = text.split("/");
  return text.startsWith("/") && parts.length > 3 ? `…/${parts.slice(-2).join("/")}` : text;
}
