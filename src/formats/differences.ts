/** Where two configurations differ, in words. */

/**
 * `train.lr: 0.003 before, 0.001 now`: a line for each path at which two values as JSON knows them differ.
 *
 * @param then What the earlier value is called: `before`, `in the checkpoint`.
 */
export function differences(earlier: unknown, now: unknown, then = "before"): string[] {
  return differencesAt("", earlier, now, then);
}

function differencesAt(path: string, earlier: unknown, now: unknown, then: string): string[] {
  if (isMap(earlier) && isMap(now)) {
    const keys = new Set([...Object.keys(earlier), ...Object.keys(now)]);
    return [...keys].flatMap((key) =>
      differencesAt(path === "" ? key : `${path}.${key}`, earlier[key], now[key], then)
    );
  }
  const [a, b] = [JSON.stringify(earlier), JSON.stringify(now)];
  return a === b ? [] : [`${path}: ${a ?? "absent"} ${then}, ${b ?? "absent"} now`];
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
