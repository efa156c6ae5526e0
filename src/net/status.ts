/** What a server's status says of another attempt. */

import { Lost } from "./patience.ts";

/** What a server says when another attempt may do better. */
const TRANSIENT = [408, 425, 429, 500, 502, 503, 504];

/**
 * Lets an answer pass unless its status may pass by itself.
 *
 * @throws {Lost} with the wait that the server asks for
 */
export async function refuseTransient(response: Response): Promise<void> {
  if (!TRANSIENT.includes(response.status)) return;
  await response.body?.cancel();
  throw new Lost(`the server answered ${response.status}`, retryAfter(response));
}

/** Milliseconds that the server asks to wait: a number of seconds or a date. */
function retryAfter({ headers }: Response): number | undefined {
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  const milliseconds = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(milliseconds) ? undefined : Math.max(0, milliseconds);
}
