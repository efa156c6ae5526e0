/** From records to what is asked: the fields that a task's file names, put into its templates. */
import { FILTERS, type Hole, parseTemplate } from "../../config/task/template.ts";
import type { TaskFile, TaskOf } from "../../config/task/schema.ts";
import { UserError } from "../../stage/errors.ts";
import type { Choice, Cloze, Item, Pair } from "./items.ts";
import type { TaskRecord } from "./records.ts";

/** What one record asks. @throws {UserError} naming the record and the field that is not as it should be. */
export function itemOf(task: TaskFile, record: TaskRecord): Item {
  const reader = new Reader(task, record);
  switch (task.form) {
    case "pair":
      return pairOf(task, reader);
    case "cloze":
      return clozeOf(task, reader);
    case "choice":
      return choiceOf(task, reader, record);
  }
}

/** The name of the group that a record belongs to, where the task tells groups apart by a template. */
export const groupOf = (task: TaskFile, record: TaskRecord): string =>
  new Reader(task, record).text(task.group);

function pairOf({ good, bad }: TaskOf<"pair">, reader: Reader): Pair {
  return { form: "pair", good: reader.filled("good", good!), bad: reader.filled("bad", bad!) };
}

function clozeOf({ text, context, target }: TaskOf<"cloze">, reader: Reader): Cloze {
  if (text === undefined) {
    return { form: "cloze", context: reader.clean(context!), target: reader.filled("target", target!) };
  }
  const whole = reader.clean(text).trimEnd();
  const space = whole.lastIndexOf(" ");
  if (space <= 0) throw reader.refuse("has no word before its last one");
  return { form: "cloze", context: whole.slice(0, space), target: whole.slice(space) };
}

function choiceOf(task: TaskOf<"choice">, reader: Reader, record: TaskRecord): Choice {
  const { contexts, ending, delimiter } = task;
  if (contexts !== undefined) {
    const beginnings = contexts.map((context) => reader.clean(context));
    const answer = answerOf(task, reader, record, beginnings.length);
    return {
      form: "choice",
      context: "",
      contexts: beginnings,
      choices: [delimiter + reader.filled("ending", ending!)],
      answer,
    };
  }
  const choices = reader.list(task.choices!).map((choice, i) =>
    delimiter + reader.notEmpty(`choice ${i + 1}`, reader.replaced(choice))
  );
  if (choices.length < 2) throw reader.refuse(`has ${choices.length} choices, expected at least two`);
  const answer = answerOf(task, reader, record, choices.length);
  return { form: "choice", context: reader.clean(task.context!), choices, answer };
}

/** The index of the right choice. */
function answerOf(task: TaskOf<"choice">, reader: Reader, { label }: TaskRecord, choices: number): number {
  if (typeof task.answer === "number") {
    if (task.answer < choices) return task.answer;
    throw reader.refuse(`has ${choices} choices, and the answer is number ${task.answer}, counted from 0`);
  }
  const found = (label ?? reader.answer(task.answer!)).trim();
  const labels = labelsOf(task, reader, choices);
  const index = labels.slice(0, choices).indexOf(found);
  if (index >= 0) return index;
  const what = label === undefined ? `field "${task.answer}"` : "its line in the file of labels";
  throw reader.refuse(`${what} is ${JSON.stringify(found)}, expected one of ${labels.join(" | ")}`);
}

/** What answers are named by: a list in the task's file stands for itself, and may hold braces. */
function labelsOf({ labels }: TaskOf<"choice">, reader: Reader, choices: number): readonly string[] {
  if (labels === undefined) return Array.from({ length: choices }, (_, i) => String(i));
  return typeof labels === "string" ? reader.list(labels) : labels;
}

/** Reads a record's fields. */
class Reader {
  constructor(readonly task: TaskFile, readonly record: TaskRecord) {}

  refuse(what: string): UserError {
    return new UserError(`Cannot use ${this.record.where}: ${what}`);
  }

  /** A template with the record's values, and the task's replacements made. */
  clean(template: string): string {
    return this.replaced(this.text(template));
  }

  /** A text that is scored: {@link clean}, and not empty. */
  filled(name: string, template: string): string {
    return this.notEmpty(`"${name}"`, this.clean(template));
  }

  /** Without a token of its own, a text would get the score of what stands before it. */
  notEmpty(name: string, text: string): string {
    if (text.trim() === "") throw this.refuse(`${name} is empty`);
    return text;
  }

  replaced(text: string): string {
    return this.task.replace.reduce(
      (text, [pattern, by]) => text.replace(new RegExp(pattern, "gu"), () => by),
      text,
    );
  }

  text(template: string): string {
    return parseTemplate(template).map((part) => typeof part === "string" ? part : this.#fill(part)).join("");
  }

  /** The texts that a path or several templates give. */
  list(from: string | readonly string[]): string[] {
    if (typeof from !== "string") return from.map((template) => this.text(template));
    const found = this.#find(from);
    if (!Array.isArray(found)) throw this.#wrong(from, found, "a list");
    return found.map((value) => this.#asText(from, value));
  }

  /** What a record itself says is right. */
  answer(path: string): string {
    if (this.task.form === "choice" && this.#lookUp(path) === undefined) {
      throw this.refuse(
        `${this.#missing(path)}; where the answers stand in a file of their own, name it with labels`,
      );
    }
    return this.#asText(path, this.#find(path));
  }

  #fill({ path, filters }: Hole): string {
    return filters.reduce((text, { name, argument }) => {
      const filtered = FILTERS[name](text, argument);
      if (filtered === undefined) {
        throw this.refuse(`field "${path}" has no ${JSON.stringify(argument)} in it`);
      }
      return filtered;
    }, this.#asText(path, this.#find(path)));
  }

  #asText(path: string, value: unknown): string {
    if (typeof value === "string") return value;
    if (typeof value === "number" || typeof value === "bigint") return String(value);
    throw this.#wrong(path, value, "text");
  }

  #wrong(path: string, value: unknown, expected: string): UserError {
    const found = value === null ? "nothing" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
    return this.refuse(`field "${path}" is ${found}, expected ${expected}`);
  }

  #find(path: string): unknown {
    const found = this.#lookUp(path);
    if (found === undefined) throw this.refuse(this.#missing(path));
    return found;
  }

  #missing(path: string): string {
    const paths = [this.task.fields[path] ?? path].flat().map((path) => `"${path}"`).join(" or ");
    return `there is no field ${paths} (it has ${Object.keys(this.record.value).join(", ") || "none"})`;
  }

  /** The value at a path, or at the first of those that a name stands for. */
  #lookUp(path: string): unknown {
    const paths = Object.hasOwn(this.task.fields, path) ? [this.task.fields[path]!].flat() : [path];
    return paths.map((path) => valueAt(this.record.value, path)).find((value) => value !== undefined);
  }
}

/** `a.b[].c`: the c of every element of the list b. */
function valueAt(value: unknown, path: string): unknown {
  const [head, ...rest] = path.split(".");
  const isList = head!.endsWith("[]");
  const key = isList ? head!.slice(0, -2) : head!;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  const inner = (value as Record<string, unknown>)[key];
  if (rest.length === 0) return inner;
  if (!isList) return valueAt(inner, rest.join("."));
  if (!Array.isArray(inner)) return undefined;
  const found = inner.map((element) => valueAt(element, rest.join(".")));
  return found.includes(undefined) ? undefined : found;
}
