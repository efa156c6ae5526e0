/** Kinds of value that several parts of the schema share. */

import * as z from "zod";

/** A folder or stage name: no separators, no leading dot or dash, so it is safe as a file name and in `--set`. */
export const name = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/i, {
  error: "letters, digits, - and _, at most 64, the first a letter or a digit",
});
export const whole = (least: number) => z.int().min(least);
export const count = whole(1);
export const share = z.number().gt(0).lt(1);
export const path = z.string().min(1);

/** The base URL of a server, without a user, a query or a slash at its end. */
export const endpoint = z.string()
  .refine((url) => /^https?:\/\/[^/?#@\s]+(\/[^?#\s]*)?$/.test(url) && URL.canParse(url), {
    error: "expected a URL that begins with https:// or http://",
  })
  .transform((url) => url.replace(/\/+$/, ""));

export const seed = z.int().min(0).max(2 ** 32 - 1);
export const device = z.enum(["auto", "cpu", "cuda"]);
export const threads = z.union([z.literal("auto"), count], { error: "auto | a whole number" });

export const id = name.describe("names the stage and its folder in the run");
export const needs = z.array(name).default([]).describe(
  "ids of the stages whose results this one reads; that of a stage with a matrix means all of them",
);
