/** The worker of a hostile stage: an order and the stage's folder come as a message, how each attempt ended goes back. */
import { fromNative, fromTypeScript, loadLibrary, type Order } from "./attempts.ts";

/** What a worker has, and the types of the main thread lack. */
const self = globalThis as unknown as {
  onmessage: (event: MessageEvent<[Order, string]>) => void;
  postMessage(value: unknown): void;
};

self.onmessage = async ({ data: [order, folder] }) => {
  const typescript = await fromTypeScript(order, folder);
  const native = order.library === undefined
    ? {}
    : await fromNative(loadLibrary(order.library).hostile_attempt, order);
  self.postMessage({ typescript, native });
};
