/** A small XML reader: enough to prove that charts and pages are well formed, and to ask what they contain. */

/** An element with its attributes and children; text stands among the children. */
export interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: (Element | string)[];
}

const TOKEN = /<!DOCTYPE html>|<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
const ATTRIBUTE = /([\w:-]+)="([^"]*)"/g;

/** The root element. Throws where the source is not well formed. */
export function parse(source: string): Element {
  const root: Element = { name: "", attributes: new Map(), children: [] };
  const open = [root];
  let end = 0;
  for (const [token, closing, name, attributes, empty, text] of source.matchAll(TOKEN)) {
    end += token.length;
    const parent = open.at(-1)!;
    if (text !== undefined) parent.children.push(unescape(text));
    else if (name === undefined) continue;
    else if (closing) {
      if (open.pop()!.name !== name) throw new Error(`</${name}> closes <${parent.name}>`);
    } else {
      const element: Element = { name, attributes: attributesOf(attributes!), children: [] };
      parent.children.push(element);
      if (!empty) open.push(element);
    }
  }
  if (end !== source.length) throw new Error(`Not well formed at: ${source.slice(end, end + 80)}`);
  if (open.length !== 1) throw new Error(`<${open.at(-1)!.name}> is not closed`);
  return root.children.find((child) => typeof child !== "string")!;
}

function attributesOf(source: string): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name, value] of source.matchAll(ATTRIBUTE)) {
    if (attributes.has(name!)) throw new Error(`Attribute ${name} stands twice`);
    attributes.set(name!, unescape(value!));
  }
  return attributes;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };

function unescape(text: string): string {
  // deno-lint-ignore no-control-regex
  const forbidden = /[\0-\x08\x0b-\x1f\ufffe\uffff]/.exec(text);
  if (forbidden) throw new Error(`XML forbids ${JSON.stringify(forbidden[0])}`);
  return text.replace(/&([^;]*;?)/g, (whole, name: string) => {
    const character = ENTITIES[name.slice(0, -1)];
    if (character === undefined || !name.endsWith(";")) throw new Error(`Unknown entity ${whole}`);
    return character;
  });
}

/** All elements of this name (or all, for `*`) below an element, in document order; of this class, where given. */
export function all(element: Element, name: string, className?: string): Element[] {
  return element.children.flatMap((child) => {
    if (typeof child === "string") return [];
    const matches = (name === "*" || child.name === name) &&
      (className === undefined || (child.attributes.get("class") ?? "").split(" ").includes(className));
    return [...(matches ? [child] : []), ...all(child, name, className)];
  });
}

/** The text of an element and everything below it. */
export function textOf(element: Element): string {
  return element.children.map((child) => typeof child === "string" ? child : textOf(child)).join("");
}

/** An attribute as a number. */
export function numeric(element: Element, attribute: string): number {
  return Number(element.attributes.get(attribute));
}
