/** Which hosts a fetch stage reaches, and which look like them. */

import assert from "node:assert/strict";
import { hostsOf, leadsTo } from "../../src/config/hosts.ts";

Deno.test("the public hub's large files are where it keeps them; a mirror's are its own", () => {
  const hub = hostsOf({ endpoint: "https://huggingface.co", hosts: [] });
  assert.deepEqual(hub, ["huggingface.co:443", "*.huggingface.co:443", "*.hf.co:443"]);
  const mirror = hostsOf({ endpoint: "http://127.0.0.1:8080/hub", hosts: ["cdn.example.com"] });
  assert.deepEqual(mirror, ["127.0.0.1:8080", "cdn.example.com:443"]);
});

Deno.test("a URL leads to a host by its whole name and port", () => {
  const hosts = hostsOf({ endpoint: "https://huggingface.co", hosts: [] });
  const leads = (url: string) => leadsTo(new URL(url), hosts);
  assert.ok(leads("https://us.aws.cdn.hf.co/x"));
  assert.ok(leads("https://huggingface.co/api"));
  assert.ok(!leads("https://hf.co.example.com/x"));
  assert.ok(!leads("https://nothf.co/x"));
  assert.ok(!leads("https://us.aws.cdn.hf.co:8443/x"));
  assert.ok(!leads("http://huggingface.co/api"));
});
