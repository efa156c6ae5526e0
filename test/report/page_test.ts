/** Proves the page: complete and partial inputs, self-contained, well formed, nothing interpreted, the same twice. */

import assert from "node:assert/strict";
import { collect } from "../../src/report/collect.ts";
import { figures } from "../../src/report/figures.ts";
import { page } from "../../src/report/page.ts";
import type { Need } from "../../src/stage/io.ts";
import { ALL, change, completeRun, type Files, needs, reader, REPORT } from "./fixture.ts";
import { all, type Element, parse, textOf } from "./well_formed.ts";

function pageOf(edit: (files: Files) => void = () => {}, stages: readonly Need[] = ALL): string {
  const files = completeRun();
  edit(files);
  return page(collect(REPORT, stages, reader(files)));
}

const titles = (root: Element): string[] =>
  all(root, "svg", "chart").map((svg) => textOf(all(svg, "title")[0]!));

Deno.test("page() of a complete run has every section, chart and table", () => {
  const root = parse(pageOf());
  assert.deepEqual(all(root, "h2").map(textOf), [
    "Quality against speed-up",
    "Comparison",
    "Training",
    "Evaluation",
    "Decoding",
    "Samples",
    "Cost",
    "Data",
    "What was run",
  ]);
  assert.deepEqual(titles(root), [
    "Tokens per forward on the true text",
    "Tokens per forward while decoding",
    "Speed-up",
    "Loss per head: ntp (K=1)",
    "Loss per head: forward (K=4)",
    "Bits per byte (head 1), lower is better",
    "Estimated tokens per forward, higher is better",
    "Speed-up by heads: batch 1",
    "Acceptance by depth: batch 1",
    "Time of a forward by part: batch 1",
    "Length of the documents",
  ]);
  const text = textOf(root);
  for (
    const said of [
      "1,206,400",
      "1.613",
      "2.31",
      "1.80×",
      "16 of 16",
      "12.3\u00a0%",
      "1\u00a0min\u00a001\u00a0s",
      "6,671",
      "73.0\u00a0%",
      "9,678",
    ]
  ) {
    assert.ok(text.includes(said), `the page says ${said}`);
  }
  assert.ok(text.includes("npx -y deno@2.9 task pipeline pipelines/quickstart.yaml"));
});

Deno.test("page() is the same twice and loads nothing", () => {
  const source = pageOf();
  assert.equal(pageOf(), source);
  const rest = source.replaceAll('xmlns="http://www.w3.org/2000/svg"', "");
  assert.doesNotMatch(
    rest,
    /https?:|\/\/|url\((?!#)|@import|<script|<link|<img|<iframe|\ssrc=|\shref=|\son\w+=/i,
  );
  assert.match(source, /content="default-src 'none'; style-src 'unsafe-inline'"/);
});

Deno.test("page() gives every id once, and every reference has its target", () => {
  const elements = all(parse(pageOf()), "*");
  const ids = elements.flatMap((element) => element.attributes.get("id") ?? []);
  assert.equal(new Set(ids).size, ids.length);
  const references = elements.flatMap((element) =>
    element.attributes.get("aria-labelledby")?.split(" ") ?? []
  );
  assert.ok(references.length > 0 && references.every((id) => ids.includes(id)));
});

Deno.test("page() draws a gap while a head sleeps", () => {
  const chart = all(parse(pageOf()), "svg", "chart").find((svg) =>
    textOf(all(svg, "title")[0]!) === "Loss per head: forward (K=4)"
  )!;
  const starts = all(chart, "g", "series").map((g) => {
    return Number(/^M([\d.]+)/.exec(all(g, "path")[0]!.attributes.get("d")!)![1]);
  });
  const bands = all(chart, "g", "band").map((band) => Number(all(band, "rect")[0]!.attributes.get("x")));
  assert.equal(starts.length, 4);
  starts.forEach((start, head) => assert.ok(start > bands[head]! && start < (bands[head + 1] ?? Infinity)));
  const labels = all(chart, "g", "band").map((band) => textOf(all(band, "text")[0]!));
  assert.deepEqual(labels, ["head 1", "heads 1–2", "heads 1–3", "heads 1–4"]);
});

Deno.test("page() marks accepted drafts and spells out what a byte model may write", () => {
  const root = parse(pageOf());
  const texts = all(root, "div", "text");
  assert.equal(texts.length, 6 + 1); // the last one is of the training text
  assert.deepEqual(all(texts[0]!, "mark"), []);
  assert.deepEqual(
    all(texts[1]!, "mark").map(textOf).slice(0, 3),
    ["ning", "e to", "the k"].map((_, i) => textOf(all(texts[1]!, "mark")[i]!)),
  );
  assert.ok(all(texts[1]!, "mark").length > 10);
  assert.ok(
    textOf(texts[2]!).startsWith(
      'The old cat <of> the "mill" sat & watched the river.[U+0000][U+0007] It saw a fish \u{1F41F},',
    ),
  );
  assert.ok(textOf(texts[2]!).includes("[U+202E]Neither"));
});

Deno.test("page() never splits a character at the edge of a draft", () => {
  const text = "a\u{1F41F}b";
  for (const drafted of [[[0, 2]], [[2, 4]], [[1, 2], [2, 3]], [[0, 2], [2, 4]]]) {
    const source = pageOf((files) =>
      change(
        files,
        "decode/decode.json",
        ({ arms }) => arms[1].domains[0].samples = [{ prompt: "p", text, drafted }],
      )
    );
    assert.ok(source.isWellFormed() && !source.includes("\ufffd"));
    assert.ok(all(parse(source), "div", "text").some((element) => textOf(element) === `p${text}`));
  }
});

Deno.test("page() escapes what stages write", () => {
  const evil = '"><script>alert(1)</script>&';
  const source = pageOf((files) => {
    change(files, "decode/decode.json", (decoding) => {
      decoding.arms[1].id = evil;
      decoding.arms[1].curriculum = evil;
    });
    change(files, "text/meta.json", (meta) => meta.sources[0].path = evil);
    change(files, "ntp/stage.json", (stage) => stage.config.curriculum = evil);
  });
  assert.ok(!source.includes("<script"));
  parse(source);
});

Deno.test("page() without evaluation and decoding says so and leaves their sections out", () => {
  const root = parse(pageOf(() => {}, needs(["ntp", "train"])));
  const text = textOf(root);
  assert.match(text, /No evaluation was among this report's inputs/);
  assert.match(text, /No decoding was among this report's inputs/);
  assert.match(text, /No prepared text was among this report's inputs/);
  assert.equal(all(root, "section").length, 7);
  assert.equal(titles(root).length, 3);
});

Deno.test("page() of a training that has not ended shows its curves and says what is missing", () => {
  const root = parse(pageOf((files) => {
    files.delete("/runs/quickstart/forward/train.json");
    const path = "/runs/quickstart/forward/metrics.jsonl";
    files.set(path, files.get(path)!.slice(0, 3000));
  }, needs(["forward", "train"])));
  assert.match(textOf(root), /The training of forward has not ended: it has left no train\.json\./);
  assert.deepEqual(all(root, "g", "band").map((band) => textOf(all(band, "title")[0]!)), [
    "head 1",
    "heads 1–2",
  ]);
});

Deno.test("page() says what the training has warned of, and is silent where it has not", () => {
  const warning = { kind: "warning", step: 40, name: "loss_spike", message: "It jumped, <lower> lr" };
  const source = pageOf((files) => {
    const path = "/runs/quickstart/forward/metrics.jsonl";
    const again = [50, 60].map((step) => ({
      kind: "warning",
      step,
      name: "not_saved",
      message: `Full at ${step}`,
    }));
    const lines = [warning, ...again].map((line) => `${JSON.stringify(line)}\n`);
    files.set(path, `${files.get(path)}${lines.join("")}`);
  });
  parse(source);
  assert.ok(source.includes("<strong>forward (K=4), step 40:</strong> It jumped, &lt;lower&gt; lr"));
  assert.ok(source.includes("<strong>forward (K=4), step 60 (2 times from step 50 on):</strong> Full at 60"));
  assert.ok(!pageOf().includes(">Warnings<"));
});

Deno.test("page() of decoding alone has no curves", () => {
  const root = parse(pageOf(() => {}, needs(["decode", "decode"])));
  assert.equal(titles(root).length, 3);
  assert.match(textOf(root), /No training curves are there/);
});

Deno.test("page() lists first differences and the tolerance of mode exact", () => {
  const text = textOf(parse(pageOf((files) =>
    change(files, "decode/decode.json", (decoding) => {
      decoding.mode = "exact";
      decoding.arms[1].domains[0].batches[0].measurements[3].equal = {
        identical: 14,
        ties: 1,
        different: 1,
        first_differences: [{ prompt: 3, at: 17, gap: 0.0000412 }, { prompt: 9, at: 2, gap: null }],
      };
    })
  )));
  assert.match(text, /lie within 0\.0001; such near ties are counted/);
  assert.match(
    text,
    /forward, val, batch 1, 4 heads: prompt 4 at new token 18, gap of the two best logits 0\.000041/,
  );
  assert.match(text, /14 of 16, 1 near tie, 1 different/);
});

const measurementsOf = (decoding: { arms: { domains: { batches: { measurements: object[] }[] }[] }[] }) =>
  decoding.arms[1]!.domains[0]!.batches[0]!.measurements;

Deno.test("page() has a row for every number of heads and batch, and charts for every domain and batch", () => {
  const root = parse(pageOf((files) =>
    change(files, "decode/decode.json", (decoding) => {
      measurementsOf(decoding).push({ ...measurementsOf(decoding)[1], heads: "auto", ideal: null });
      const { domains } = decoding.arms[1];
      domains[0].batches.push({ ...structuredClone(domains[0].batches[0]), batch: 8 });
      domains.push({ ...structuredClone(domains[0]), name: "code" });
    })
  ));
  const section = all(root, "section").find((s) => s.attributes.get("aria-labelledby") === "decoding")!;
  assert.deepEqual(titles(section), [
    "Speed-up by heads: val, batch 1",
    "Acceptance by depth: val, batch 1",
    "Time of a forward by part: val, batch 1",
    "Speed-up by heads: code, batch 1",
    "Acceptance by depth: code, batch 1",
    "Time of a forward by part: code, batch 1",
    "Speed-up by heads: val, batch 8",
    "Time of a forward by part: val, batch 8",
    "Speed-up by heads: code, batch 8",
    "Time of a forward by part: code, batch 8",
  ]);
  const [speed] = all(section, "table");
  const rows = all(all(speed!, "tbody")[0]!, "tr").map((row) =>
    ["th", "td"].flatMap((cell) => all(row, cell).map(textOf))
  );
  assert.equal(
    rows.length,
    2 + 4 * (1 + 5),
    "of each arm, domain and batch: the other plain decoder, and all measured",
  );
  assert.ok(all(section, "table").every((one) => one.attributes.get("class") === "cards"));
  assert.deepEqual(rows[0]!.slice(0, 4), ["ntp, batch\u00a01, plain,\u00a0aten", "180", "–", "0.80×"]);
  assert.deepEqual(rows[6], [
    ...["forward, val, batch\u00a01, 4\u00a0heads", "405", "2.31", "1.80×", "1.15×"],
    ...["2.01×\u00a0(89.5\u00a0%)", "5.35 (0.9\u00a0%)", "16 of 16"],
  ]);
  assert.deepEqual(rows[7]!.slice(0, 7), [
    "forward, val, batch\u00a01, auto",
    "320",
    "1.72",
    "1.42×",
    "–",
    "–",
    "5.35 (0.9\u00a0%)",
  ]);
});

Deno.test("page() shows acceptance while decoding beside that on the true text, and repetition beside the true text's", () => {
  const text = textOf(parse(pageOf()));
  assert.match(
    text,
    /forward, depth\u00a02\s*642 of 880\s*73\.0\u00a0%\s*73\.0\u00a0%\s*64\.0\u00a0%\s*64\.0\u00a0%/,
  );
  assert.match(text, /16\s*12\.3\u00a0%\s*1\.2\u00a0%\s*43\.2\u00a0%\s*78\.9\u00a0%\s*1\.598/);
});

Deno.test("page() explains the names and figures of decoding that do not explain themselves", () => {
  const text = textOf(parse(pageOf()));
  assert.match(text, /"plain, aten" is plain decoding with libtorch's own kernels/);
  assert.match(text, /timed apart from the decoding, over full batches: above 100\u00a0%/);
  assert.match(text, /New bigrams: the share of pairs of words that occur for the first time in their/);
});

Deno.test("page() says over how many documents an interval is, and why one has none", () => {
  const root = parse(pageOf((files) =>
    change(files, "eval/eval.json", ({ arms }) => {
      Object.assign(arms[0], { documents: 1, bits_per_byte_interval: null });
      Object.assign(arms[1], { documents: 1234, bits_per_byte_interval: [1.5, 1.7] });
    })
  ));
  const section = all(root, "section").find((s) => s.attributes.get("aria-labelledby") === "evaluation")!;
  const rows = all(all(section, "tbody")[0]!, "tr").map((row) => all(row, "td").map(textOf));
  assert.deepEqual(rows.map((row) => row.slice(3, 5)), [["1", "–"], ["1,234", "1.5000–1.7000"]]);
  assert.match(textOf(section), /of a single one nothing tells .* a dash stands in its place/);
});

Deno.test("page() says what is not lossless, and what was drawn and not compared", () => {
  const said = (edit: Parameters<typeof change>[2]) =>
    textOf(parse(pageOf((files) => change(files, "decode/decode.json", edit))));
  const typical = said((decoding) => {
    Object.assign(decoding, { acceptance: "typical", lossless: false });
    Object.assign(measurementsOf(decoding).at(-1)!, {
      equal: { identical: 4, ties: 0, different: 12, first_differences: [] },
    });
  });
  assert.match(typical, /not lossless: the text differs from plain decoding's/);
  assert.match(typical, /4 of 16, 12 different/);
  const drawn = said((decoding) => {
    Object.assign(decoding.sampling, { temperature: 0.7, top_k: 40, repetition_penalty: 1.1 });
    decoding.tree = { candidates: 3, nodes: 12 };
    for (const measurement of measurementsOf(decoding)) Object.assign(measurement, { equal: null });
  });
  assert.match(
    drawn,
    /Sampling at temperature 0\.7, top-k 40, repetition penalty 1\.1 of up to 128 new tokens/,
  );
  assert.match(drawn, /outputs are drawn at random and not compared\. Drafts branch: 3 candidates a head/);
  assert.match(drawn, /not compared/);
});

Deno.test("page() shows paths without the folders of whoever ran it", () => {
  const source = pageOf((files) => {
    change(files, "text/meta.json", (meta) => meta.sources[0].path = "/home/ann/secret/books/emma.txt");
    change(files, "text/stage.json", (stage) => stage.config.input = ["/home/ann/secret/books"]);
  });
  assert.ok(
    source.includes("…/books/emma.txt") && source.includes("…/secret/books") && !source.includes("ann"),
  );
});

Deno.test("page() gives the commands that run it again, changes of the file included", () => {
  const commands = (edit: (files: Files) => void) =>
    all(parse(pageOf(edit)), "pre").map(textOf).find((text) => text.startsWith("npx"))?.split("\n");
  const stages = ["text", "ntp", "forward", "eval", "decode"];
  const set = (files: Files, ids: string[], command: unknown) =>
    ids.forEach((id) => change(files, `${id}/stage.json`, (stage) => stage.command = command));
  const own = { file: "/home/ann/it's.yaml", set: ["name=a", "text.input=[b c/*.txt]"] };
  assert.deepEqual(commands((files) => set(files, stages, own)), [
    "npx -y deno@2.9 task pipeline '/home/ann/it'\\''s.yaml' --set name=a --set 'text.input=[b c/*.txt]'",
  ]);
  const other = { file: "pipelines/quickstart.yaml", set: ["forward.train.lr=1e-3"] };
  const again = (task: string, id: string, ...set: string[]) =>
    [`npx -y deno@2.9 task ${task} pipelines/quickstart.yaml`, ...set, `--stage ${id}`].join(" ");
  assert.deepEqual(commands((files) => set(files, ["forward"], other)), [
    again("prepare", "text"),
    again("train", "ntp"),
    again("train", "forward", "--set forward.train.lr=1e-3"),
    again("eval", "eval"),
    again("decode", "decode"),
  ]);
  assert.equal(commands((files) => set(files, stages, undefined)), undefined);
});

Deno.test("collect() ends in one sentence when nothing is there to report on", () => {
  assert.throws(() => collect(REPORT, needs(["text", "prepare"]), reader(completeRun())), {
    name: "UserError",
    message: "Cannot report: needs names no train, eval or decode stage that has results",
  });
});

Deno.test("figures() holds the numbers that the page prints", () => {
  const numbers = figures(collect(REPORT, ALL, reader(completeRun())));
  const forward = numbers.arms[1]!;
  assert.deepEqual(
    [
      forward.id,
      forward.heads,
      forward.bits_per_byte,
      forward.bits_per_byte_from,
      forward.tokens_per_forward,
      forward.speedup,
    ],
    ["forward", 4, 1.6131, "held_out", 2.309, 1.798],
  );
  assert.deepEqual(forward.outputs, { prompts: 16, identical: 16, ties: 0, different: 0 });
  assert.equal(forward.validations.length, 4);
  assert.deepEqual(JSON.parse(JSON.stringify(numbers)), numbers, "nothing is lost on the way into JSON");
});

Deno.test("page() says of the text what it holds, what was left out of it, and shows it", () => {
  const root = parse(pageOf());
  const data = all(root, "section").find((section) => section.attributes.get("aria-labelledby") === "data")!;
  const text = textOf(data);
  for (
    const said of [
      "4.00\u00a0MB of text as bytes",
      "3,920,112",
      "1.000",
      "Left out: deduplicate: 17 documents (6.21\u00a0kB); unreadable: 2 records.",
      "all 3,920,112 tokens",
      "70 of 320 ids occur",
      "17.8\u00a0%",
      "train, document 7, 300 tokens",
      "Once <i>upon</i> a time[U+0007]",
    ]
  ) {
    assert.ok(text.includes(said), `the page says ${said}`);
  }
  assert.equal(all(data, "rect").length, 8);
  const several = parse(pageOf((files) =>
    change(files, "text/meta.json", (meta) => {
      meta.tokenizer = { kind: "bpe", vocab: 32_000 };
      meta.splits.test = { documents: 5, bytes: 600, tokens: 206, shards: [{}] };
      meta.sources = Array.from(
        { length: 40 },
        (_, i) => ({ ...meta.sources[0], path: `/data/texts/${i}.txt` }),
      );
    })
  ));
  const tables = textOf(several);
  assert.ok(tables.includes("tokens of a byte-level BPE of 32,000 ids"));
  assert.ok(tables.includes("600") && tables.includes("200") && tables.includes("3.000"));
  assert.ok(tables.includes("28 more") && !tables.includes("12.txt"));
});

Deno.test("page() does without statistics of the text", () => {
  const root = parse(pageOf((files) => files.delete("/runs/quickstart/text/statistics.json")));
  const data = all(root, "section").find((section) => section.attributes.get("aria-labelledby") === "data")!;
  assert.equal(all(data, "svg").length, 0);
  assert.ok(textOf(data).includes("3,920,112"));
});
