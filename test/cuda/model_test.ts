/** Proves the model on a GPU against the CPU: losses, gradients, optimizer steps, bf16, and decoding by every kind of heads. */
import assert from "node:assert/strict";
import { firstDifference } from "../../src/decode/compare.ts";
import { decode } from "../../src/decode/engine.ts";
import type { Settings } from "../../src/decode/settings.ts";
import type { Request } from "../../src/decode/sequence.ts";
import { type Decoder, HEAD_KINDS, type HeadKind, MtpModel } from "../../src/model/mod.ts";
import { type Device, Scope, top2Gap } from "../../src/torch/mod.ts";
import { Optimizer } from "../../src/train/optimizer.ts";
import { lossScales, trainStep } from "../../src/train/step.ts";
import { PLAIN, SETTINGS } from "../decode/pattern.ts";
import {
  countsOf,
  gradientsOf,
  someIds,
  someSequences,
  tensorsOf,
  tinyOptions,
  withNoise,
} from "../model/tiny.ts";
import { withCuda } from "./cuda.ts";

const CUDA: Device = "cuda:0";
const K = 4;

/** A few hundred thousand parameters: matrices large enough for the GPU's own kernels. */
function optionsOf(kind: HeadKind) {
  const sizes = { width: 64, attention_heads: 4, kv_heads: 2, ffn: 96, context: 64, vocab: 96, layers: 6 };
  return { ...tinyOptions(sizes), rope_theta: 10_000, heads: { kind, count: K } };
}

const modelOn = (device: Device, kind: HeadKind, compute: "float32" | "bfloat16" = "float32"): MtpModel =>
  new MtpModel(optionsOf(kind), 1, device, compute);

/** Size of the difference over the size of what it should be. */
function errorOf(actual: readonly number[], expected: readonly number[]): number {
  return Math.hypot(...actual.map((x, i) => x - expected[i]!)) / Math.hypot(...expected);
}

function backwardOn(device: Device, kind: HeadKind, compute: "float32" | "bfloat16" = "float32") {
  using model = modelOn(device, kind, compute);
  using _scope = new Scope();
  const plain = someSequences(optionsOf(kind), 4);
  const { inputs, targets } = tensorsOf(plain);
  const sequences = { inputs: inputs.to("int64", device), targets: targets.to("int64", device) };
  const objective = { weights: [1, 1, 1, 1], loss: "sum" } as const;
  const losses = model.backward(sequences, lossScales(objective, countsOf(plain))).map((term) =>
    term!.item()
  );
  return { losses, gradients: gradientsOf(model) };
}

for (const kind of HEAD_KINDS) {
  withCuda(
    `${kind} heads have the same losses and gradients on a GPU as on the CPU, and near ones in bf16`,
    () => {
      const expected = backwardOn("cpu", kind);
      for (const [compute, tolerance] of [["float32", 1e-4], ["bfloat16", 0.06]] as const) {
        const actual = backwardOn(CUDA, kind, compute);
        actual.losses.forEach((loss, i) =>
          assert.ok(Math.abs(loss / expected.losses[i]! - 1) < tolerance, compute)
        );
        for (const [name, gradient] of expected.gradients) {
          const error = errorOf(actual.gradients.get(name)!, gradient!);
          assert.ok(error < tolerance, `${compute}: gradient of ${name} is off by ${error}`);
        }
      }
    },
  );

  withCuda(
    `${kind} heads on a GPU: drafts, batches and trees change the output only where two logits tie`,
    () => {
      using model = withNoise(modelOn(CUDA, kind));
      using decoder = model.decoder("aten");
      using onCpu = withNoise(modelOn("cpu", kind));
      using reference = onCpu.decoder("rows");
      const requests: Request[] = [5, 17, 9, 30].map((length, i) => ({
        prompt: someIds(`gpu ${i}`, length, 96),
        newTokens: 24,
        stop: new Set<number>(),
      }));
      const plain = decode(decoder, requests, PLAIN);
      assertSame(decoder, requests, plain, decode(reference, requests, PLAIN), "CPU");
      const changes: Partial<Settings>[] = [{}, { heads: 2 }, { batch: 3 }, { heads: "auto", batch: 2 }];
      if (kind !== "sequential") changes.push({ tree: 3, treeNodes: 12, batch: 2 });
      for (const change of changes) {
        assertSame(
          decoder,
          requests,
          plain,
          decode(decoder, requests, { ...SETTINGS, ...change }),
          JSON.stringify(change),
        );
      }
      const sampling = { temperature: 0.8, top_k: 20, top_p: 0.9, min_p: 0.01, repetition_penalty: 1.1 };
      const drawn = () =>
        decode(decoder, requests, { ...SETTINGS, sampling, batch: 4 }).map(({ tokens }) => tokens);
      assert.deepEqual(drawn(), drawn());
    },
  );
}

/** Fails where outputs part and the two best logits do not tie. */
function assertSame(
  decoder: Decoder,
  requests: readonly Request[],
  plain: readonly { tokens: readonly number[] }[],
  others: readonly { tokens: readonly number[] }[],
  what: string,
): void {
  requests.forEach(({ prompt }, i) => {
    const at = firstDifference(plain[i]!.tokens, others[i]!.tokens);
    if (at === null) return;
    using cache = decoder.newCache();
    using _scope = new Scope();
    const ids = [...prompt, ...plain[i]!.tokens.slice(0, at)];
    const gap = top2Gap(decoder.logits(decoder.extend(ids, cache).first)).toArray().at(-1)!;
    assert.ok(gap < 1e-3, `${what}: request ${i} differs at token ${at}, where the gap is ${gap}`);
  });
}

for (const optimizer of ["adamw", "muon"] as const) {
  withCuda(`steps of ${optimizer} on a GPU learn what they learn on the CPU`, () => {
    const losses = (device: Device): number[] => {
      using model = modelOn(device, "linear");
      using of = new Optimizer(model.parameters, {
        optimizer,
        beta1: 0.9,
        beta2: 0.95,
        eps: 1e-8,
        weight_decay: 0.1,
        clip: 1,
      });
      const plain = someSequences(optionsOf("linear"), 4);
      const blocks = { ...tensorsOf(plain), counts: countsOf(plain), bytes: 0 };
      const objective = { weights: [1, 1, 0.5, 0], loss: "sum" } as const;
      const found = Array.from({ length: 12 }, () => {
        using _scope = new Scope();
        const { losses } = trainStep(model, of, blocks, 2, objective, 0.01);
        return losses[0]!.item();
      });
      for (const tensor of [blocks.inputs, blocks.targets]) tensor.free();
      return found;
    };
    const [onCpu, onGpu] = [losses("cpu"), losses(CUDA)];
    assert.ok(onCpu.at(-1)! < onCpu[0]! - 0.5, "nothing was learnt");
    onGpu.forEach((loss, step) => {
      const off = Math.abs(loss - onCpu[step]!);
      assert.ok(
        off < (optimizer === "muon" ? 0.05 : 0.01),
        `step ${step}: ${loss}, on the CPU ${onCpu[step]}`,
      );
    });
  });
}
