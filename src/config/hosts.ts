/** Which hosts a stage may reach: the one list for Deno's flags, the launcher, and redirects. */

import type { EvalConfig, FetchConfig } from "./schema.ts";
import { serversOf } from "./schema/generation.ts";

/** Where the public hub keeps large files: hosts that it chooses by place and changes, all below one name. */
const DOWNLOADS: Readonly<Record<string, string>> = { "huggingface.co": "*.hf.co:443" };

/**
 * `host:port` each: the endpoint, its subdomains, where a known hub keeps its large files, and those that the stage
 * names; `*.` stands for any subdomain.
 */
export function hostsOf({ endpoint, hosts }: Pick<FetchConfig, "endpoint" | "hosts">): string[] {
  const own = new URL(endpoint);
  const hasSubdomains = /[a-z]/i.test(own.hostname) && own.hostname.includes(".");
  const named = hosts.map((host) => /:\d+$/.test(host) ? host : `${host}:443`);
  const downloads = DOWNLOADS[own.hostname];
  return [
    hostOf(own),
    ...(hasSubdomains ? [`*.${own.hostname}:443`] : []),
    ...(downloads === undefined ? [] : [downloads]),
    ...named,
  ];
}

/** `host:port` of the servers that an eval stage asks about its text; without one, none. */
export function hostsOfEval({ generation }: Pick<EvalConfig, "generation">): string[] {
  const servers = generation === undefined ? [] : serversOf(generation);
  return [...new Set(servers.map(({ endpoint }) => hostOf(new URL(endpoint))))];
}

/** `host:port`, also where the port is the protocol's usual one. */
export function hostOf({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port || (protocol === "http:" ? "80" : "443")}`;
}

/** Whether a URL leads to one of these hosts, as Deno's `--allow-net` reads them. */
export function leadsTo(url: URL, hosts: readonly string[]): boolean {
  const host = hostOf(url);
  return hosts.some((allowed) =>
    allowed.startsWith("*.") ? `.${host}`.endsWith(allowed.slice(1)) : host === allowed
  );
}
