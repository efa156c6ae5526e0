/** How pip is asked, and what is said when it fails. */
import { UserError } from "../../src/stage/errors.ts";
import { lastLines } from "./program.ts";

/** A configured --user, or a virtual environment that is required, does not go with --target. */
export const PIP_ENVIRONMENT = { PIP_USER: "0", PIP_REQUIRE_VIRTUALENV: "0" };
/** pip asks nothing, and compiles nothing that may never be imported. */
export const PIP_OPTIONS = ["--no-input", "--disable-pip-version-check", "--no-compile"];

/** The sentence for a pip that failed. */
export function pipError(output: string): UserError {
  if (/No module named pip\b/.test(output)) {
    return new UserError(
      "Cannot install with pip: python3 has none (Debian, Ubuntu: apt install python3-pip)",
    );
  }
  if (/No space left on device/.test(output)) {
    return new UserError("Cannot install with pip: no space left on the device that holds native/build");
  }
  const reasons = output.split("\n").filter((line) => /^\s*ERROR:/.test(line));
  return new UserError(`Cannot install with pip; it said:\n${lastLines(reasons.join("\n") || output, 4)}`);
}
