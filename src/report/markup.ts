/** HTML and SVG as text that escapes itself: what a template fills in is shown, never interpreted. */

/** Markup that is already safe: it goes into another template as it is. */
export class Markup {
  constructor(readonly source: string) {}
}

/** What a template takes: text and numbers (escaped), markup, lists of these; nothing for null, undefined and false. */
export type Content = string | number | Markup | null | undefined | false | readonly Content[];

/**
 * A template tag: `` markup`<b>${text}</b>` `` is {@link Markup} in which `text` is escaped. Attribute values
 * must stand in double quotes.
 */
export function markup(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return new Markup(String.raw({ raw: strings }, ...values.map(source)));
}

function source(content: Content): string {
  if (content === null || content === undefined || content === false) return "";
  if (content instanceof Markup) return content.source;
  if (typeof content === "object") return content.map(source).join("");
  return escape(String(content));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return visible(text).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

// Not to be shown as they are: controls except tab and line feed, characters that reorder their surroundings,
// and what XML forbids.
// deno-lint-ignore no-control-regex
const UNSHOWN = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/g;

/**
 * The text with every character that a page would swallow spelt out (`[U+0007]`; fonts with pictures of them are
 * rare) and lone surrogates as U+FFFD. A byte model writes any of these.
 */
export function visible(text: string): string {
  return text.toWellFormed().replace(UNSHOWN, (character) => {
    return `[U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}]`;
  });
}
