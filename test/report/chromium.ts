/** Headless Chromium through its own protocol (CDP): opens a file at a width and a colour scheme, and asks what it shows. */

/** How a page is looked at. */
export interface View {
  /** CSS pixels. */
  readonly width: number;
  readonly scheme: "light" | "dark";
}

/** One browser with one page in it. */
export class Chromium implements AsyncDisposable {
  /** What the console of the pages has said, and what they have thrown. */
  readonly complaints: string[] = [];
  #last = 0;
  readonly #answers = new Map<number, PromiseWithResolvers<Answer>>();
  #loaded: PromiseWithResolvers<void> | null = null;
  #session = "";

  private constructor(readonly process: Deno.ChildProcess, readonly socket: WebSocket) {
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
  }

  /** Starts the program at `path`; its profile and temporary files go into `folder`. */
  static async start(path: string, folder: string): Promise<Chromium> {
    const process = new Deno.Command(path, {
      args: [
        ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
        ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
        ...[
          "--hide-scrollbars",
          "--remote-debugging-port=0",
          `--user-data-dir=${folder}/profile`,
          "about:blank",
        ],
      ],
      clearEnv: true,
      env: { TMPDIR: folder, HOME: folder },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const socket = new WebSocket(await addressOf(process));
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error("Cannot reach Chromium's debugging port"));
    });
    const chromium = new Chromium(process, socket);
    await chromium.#attach();
    return chromium;
  }

  async #attach(): Promise<void> {
    const { targetId } = await this.#call("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.#call("Target.attachToTarget", { targetId, flatten: true });
    this.#session = sessionId as string;
    for (const domain of ["Page", "Runtime", "Log"]) await this.#call(`${domain}.enable`);
  }

  /** Opens a page, and waits until it is there. */
  async open(url: string, { width, scheme }: View): Promise<void> {
    await this.#call("Emulation.setDeviceMetricsOverride", {
      width,
      height: 900,
      deviceScaleFactor: 1,
      mobile: width < 600,
    });
    await this.show(scheme);
    this.#loaded = Promise.withResolvers();
    await this.#call("Page.navigate", { url });
    await this.#loaded.promise;
  }

  /** Shows the page in this scheme from now on. */
  async show(scheme: View["scheme"]): Promise<void> {
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    await this.#call("Emulation.setEmulatedMedia", { features });
  }

  /** The value of a JavaScript expression in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.#call("Runtime.evaluate", {
      expression,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value: T }).value;
  }

  /** A PNG of the page, or of the part from `from` on (CSS pixels). */
  async screenshot(from = 0, height = 14_000): Promise<Uint8Array> {
    const [width, whole] = await this.evaluate<[number, number]>(
      "[innerWidth, document.documentElement.scrollHeight]",
    );
    const clip = { x: 0, y: from, width, height: Math.max(1, Math.min(height, whole - from)), scale: 1 };
    const { data } = await this.#call("Page.captureScreenshot", { captureBeyondViewport: true, clip });
    return Uint8Array.fromBase64(data as string);
  }

  /** The page as it prints on A4; `pages`: `2-3`, all unless told. */
  async pdf(pages = ""): Promise<Uint8Array> {
    const paper = { paperWidth: 8.27, paperHeight: 11.69, preferCSSPageSize: true }; // inches
    const { data } = await this.#call("Page.printToPDF", {
      ...paper,
      printBackground: false,
      pageRanges: pages,
    });
    return Uint8Array.fromBase64(data as string);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#call("Browser.close").catch(() => {});
    this.socket.close();
    await this.process.status;
  }

  async #call(method: string, params: object = {}): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#last;
    const answer = Promise.withResolvers<Answer>();
    this.#answers.set(id, answer);
    const session = this.#session === "" || method === "Browser.close" ? {} : { sessionId: this.#session };
    this.socket.send(JSON.stringify({ id, method, params, ...session }));
    const { result, error } = await answer.promise;
    if (result === undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result;
  }

  #receive(message: Answer & { id?: number; method?: string; params?: Record<string, unknown> }): void {
    if (message.id !== undefined) {
      this.#answers.get(message.id)?.resolve(message);
      this.#answers.delete(message.id);
      return;
    }
    if (message.method === "Page.loadEventFired") this.#loaded?.resolve();
    if (
      ["Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"].includes(message.method ?? "")
    ) {
      this.complaints.push(JSON.stringify(message.params));
    }
  }
}

interface Answer {
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: unknown;
}

/** Chromium says on stderr where it listens. */
async function addressOf(process: Deno.ChildProcess): Promise<string> {
  const decoder = new TextDecoder();
  let said = "";
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  (async () => {
    for await (const chunk of process.stderr) { // read to its end, or the pipe fills up
      said = (said + decoder.decode(chunk, { stream: true })).slice(-10_000);
      const address = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
      if (address !== undefined) resolve(address);
    }
    reject(new Error(`Chromium has ended: ${said}`));
  })();
  return await promise;
}
