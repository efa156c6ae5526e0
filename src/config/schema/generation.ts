/**
 * `generation` of the eval stage: how good the text is that a model writes. What is measured by the text alone is on
 * where the key is there; SemScore and a judge ask a server, are off by default, and are a stage's way to the network.
 */

import * as z from "zod";
import { sampling } from "./sampling.ts";
import { count, endpoint, whole } from "./values.ts";

/** Variables that may hold a server's key: the command line may read these, and hands them to the stage that names one. */
export const KEY_VARIABLES = ["OPENAI_API_KEY", "FORETOKEN_API_KEY"] as const;

/** Without a temperature there is nothing to draw. */
const drawn = sampling.extend({
  temperature: z.number().gt(0).max(10).default(0.8).describe("divides the logits; 1 leaves them"),
});

/** A server that speaks OpenAI's protocol, and how patient to be with it. */
const server = {
  endpoint: endpoint.describe("the server's base URL: http://127.0.0.1:8080/v1"),
  model: z.string().min(1).describe("the model's name, as the server has it"),
  key_env: z.string().refine((name) => (KEY_VARIABLES as readonly string[]).includes(name), {
    error: `the command line hands stages ${KEY_VARIABLES.join(" or ")} and no other variable: ` +
      "put the key into one of these",
  }).optional().describe(
    `environment variable that holds the key: ${KEY_VARIABLES.join(" | ")}; default: no key`,
  ),
  timeout: z.number().gt(0).max(86_400).default(60).describe(
    "seconds that an answer may take before it counts as lost",
  ),
  attempts: count.default(5).describe("times that a request is made before its item counts as missing"),
  parallel: whole(1).max(64).default(4).describe("requests at a time"),
  max_missing: z.number().min(0).lt(1).default(0.1)
    .describe("share of items without an answer beyond which the stage fails"),
};

type Secret = { readonly endpoint: string; readonly key_env?: string | undefined };

/** A key that travels unencrypted belongs to whoever sits on the way; on this machine nobody does. */
function keepsKey({ endpoint, key_env }: Secret): boolean {
  if (key_env === undefined || !URL.canParse(endpoint)) return true; // what is no URL is told elsewhere
  const { protocol, hostname } = new URL(endpoint);
  return protocol === "https:" ||
    /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

const IN_CLEAR = {
  path: ["key_env"],
  error: "the key would travel unencrypted: key_env needs an endpoint with https://, or one of this machine",
};

const semscore = z.strictObject({ ...server }).refine(keepsKey, IN_CLEAR);

const judge = z.strictObject({
  ...server,
  scoring: z.enum(["auto", "logprobs", "samples"]).default("auto").describe(
    "logprobs: scores weighted with their probability; samples: the mean of several answers; auto: the first where " +
      "the server has it",
  ),
  samples: whole(1).max(100).optional().describe(
    "answers a score is the mean of, where it is not weighted; default: 20",
  ),
  pairwise: z.boolean().default(true)
    .describe("whether each further arm is also compared with the first, blind and in both orders"),
}).refine(keepsKey, IN_CLEAR).refine(
  ({ scoring, samples }) => scoring !== "logprobs" || samples === undefined,
  {
    path: ["samples"],
    error: "scoring: logprobs weights one answer and reads no samples: leave out one of the two",
  },
).transform(({ samples = 20, pairwise, ...rest }) => ({ ...rest, samples, pairwise }));

export const generation = z.strictObject({
  prompts: whole(2).max(500).default(64).describe("prompts, cut from the split"),
  prompt_bytes: whole(4).default(64).describe("bytes of each, at most"),
  new_bytes: whole(4).default(128).describe(
    "bytes that are written after each, and compared with what follows there",
  ),
  greedy: z.boolean().default(true).describe("whether the likeliest token is taken each time"),
  sampled: z.union([z.literal(false), drawn], { error: "false | a map with temperature, top_p, ..." })
    .prefault({ temperature: 0.8, top_p: 0.95 }).describe("how tokens are drawn; false: not at all"),
  semscore: semscore.optional()
    .describe("cosine of the embeddings of continuation and reference, by a server; default: not asked for"),
  judge: judge.optional().describe("scores by another language model, on a server; default: not asked for"),
}).refine(({ greedy, sampled }) => greedy || sampled !== false, {
  error: "greedy: false and sampled: false leave nothing to measure",
});

/** `generation` with its defaults filled in. */
export type GenerationConfig = z.output<typeof generation>;
/** `semscore` or `judge`: where to ask. */
export type ServerConfig = z.output<typeof semscore>;
/** `judge` with its defaults filled in. */
export type JudgeConfig = z.output<typeof judge>;

/** The servers that a generation asks. */
export function serversOf({ semscore, judge }: GenerationConfig): ServerConfig[] {
  return [semscore, judge].filter((server) => server !== undefined);
}

/** What changes no figure: how long to wait, and how many answers may be missing. */
const PATIENCE = ["timeout", "attempts", "parallel", "max_missing"] as const;

/** The settings that decide the figures: a judge that was too slow is asked on with more patience, and paid once. */
export function withoutPatience(config: GenerationConfig): object {
  const decisive = (server: ServerConfig | undefined) => {
    if (server === undefined) return undefined;
    const rest: Partial<ServerConfig> = { ...server };
    for (const key of PATIENCE) delete rest[key];
    return rest;
  };
  return { ...config, semscore: decisive(config.semscore), judge: decisive(config.judge) };
}
