import { describe, expect, it } from "vitest";
import { ConfigError, DataError } from "../base/errors.js";
import { ChatTemplate, trainByteLevelBpe } from "../tokenizers/index.js";
import type { ExampleBody } from "./example.js";
import { exampleOf } from "./row-parser.js";
import { hashExamples, splitExamples, withoutHeldOut } from "./split-examples.js";
import { type TokenizeOptions, tokenizeExamples } from "./tokenize-examples.js";

const tokenizer = trainByteLevelBpe(["abc"], { vocabSize: 300, specialTokens: ["<end>"], pretokenizer: "gpt2" });
const end = tokenizer.tokenId("<end>")!;
const options: TokenizeOptions = { tokenizer, marks: { prefix: [], suffix: [end] }, maxTokens: 6 };

const place = (line: number) => ({ file: "a.jsonl", line });
const example = (body: ExampleBody, line = 1) => exampleOf(body, place(line));
const text = (words: string, line = 1) => example({ kind: "text", text: words }, line);
const completion = (prompt: string, words: string, line = 1) =>
  example({ kind: "completion", prompt, completion: words }, line);
const chat = (content: string, line = 1) =>
  example(
    {
      kind: "chat",
      messages: [
        { role: "user", content: "x" },
        { role: "assistant", content },
      ],
      style: "conversation",
    },
    line,
  );
const decoded = (documents: readonly { ids: Int32Array }[]) =>
  documents.map(({ ids }) => tokenizer.decode(ids, { keepSpecialTokens: true }));

describe("tokenizeExamples", () => {
  it("reports lengths and targets", () => {
    const { documents, report } = tokenizeExamples([text("xyz"), completion("xy", "z")], options);
    expect(documents.map(({ targets }) => [...targets])).toEqual([
      [1, 1, 1, 1],
      [0, 0, 1, 1],
    ]);
    expect(report).toEqual({
      numDocuments: 2,
      numTokens: 8,
      // nothing predicts the first token
      numTargets: 5,
      lengths: { mean: 4, median: 4, p95: 4, max: 4 },
      overLong: [],
      specialTokensInText: [],
    });
  });

  it("splits long texts so that every token is learned once, and refuses other long examples unless told", () => {
    const words = "zyxwvutsrqponm";
    const { documents, report } = tokenizeExamples([text(words)], options);
    expect(decoded(documents)).toEqual(["zyxwvu", "utsrqp", "ponm<end>"]);
    expect(report.overLong).toEqual([{ place: place(1), numTokens: 15, policy: "split" }]);
    expect(report.numTargets).toBe(14);
    const long = [completion("xy", "z"), completion("xyz", "zyxw", 2), completion("xyz", "zyxwv", 3)];
    expect(() => tokenizeExamples(long, options)).toThrow(
      "2 examples have more than 6 tokens (a.jsonl:2, a.jsonl:3; the longest has 9). Train on longer rows, or say what to do " +
        "with overLong: drop, keep-start, keep-end or split",
    );
  });

  it("does with long examples what it is told, and says so", () => {
    const long = [completion("x", "y"), completion("xyz", "zyxw", 2)];
    const by = (overLong: NonNullable<TokenizeOptions["overLong"]>) => tokenizeExamples(long, { ...options, overLong });
    expect(decoded(by("drop").documents)).toEqual(["xy<end>"]);
    expect(decoded(by("keep-start").documents)).toEqual(["xy<end>", "xyzzyx"]);
    expect(decoded(by("keep-end").documents)).toEqual(["xy<end>", "zzyxw<end>"]);
    expect(decoded(by("split").documents)).toEqual(["xy<end>", "xyzzyx", "xw<end>"]);
    for (const policy of ["drop", "keep-start", "keep-end", "split"] as const) {
      expect(by(policy).report.overLong).toEqual([{ place: place(2), numTokens: 8, policy }]);
    }
    expect(() => by("cut" as "drop")).toThrow(ConfigError);
    expect(() => tokenizeExamples(long, { ...options, maxTokens: 1 })).toThrow(ConfigError);
  });

  it("names the rows in which nothing is left to learn", () => {
    const rows = [completion("x", "y"), completion("xyzxyzx", "zyxw", 2), completion("zyxzyxzyx", "zyxw", 3)];
    expect(() => tokenizeExamples(rows, { ...options, overLong: "keep-start" })).toThrow(
      /2 examples have no token to learn with lossOn completions: a.jsonl:2, a.jsonl:3; cutting over-long/,
    );
  });

  it("names every row that the template refuses, with its words", () => {
    const template = new ChatTemplate(
      "{% for m in messages %}{% if m.content == 'cat' %}{{ raise_exception('no cats') }}{% endif %}{{ m.content }}{% endfor %}",
    );
    const rows = [chat("dog", 1), chat("cat", 2), chat("cat", 5)];
    expect(() => tokenizeExamples(rows, { ...options, template })).toThrow(
      new DataError(
        "rendering examples: 2 faults:\n  a.jsonl:2: chat template: it refuses these messages: no cats\n" +
          "  a.jsonl:5: chat template: it refuses these messages: no cats",
      ),
    );
  });

  it("notices special tokens that someone has written", () => {
    const rows = [chat("dog", 1), chat("dog <end>", 2)];
    expect(tokenizeExamples(rows, { ...options, maxTokens: 99 }).report.specialTokensInText).toEqual([place(2)]);
  });
});

describe("splitExamples", () => {
  const many = Array.from({ length: 200 }, (_, i) => text(`text ${i % 150}`, i));
  const hashes = (examples: readonly { hash: string }[]) => new Set(examples.map(({ hash }) => hash));

  it("holds out whole examples, and equal ones on one side", () => {
    const { train, heldOut } = splitExamples(many, { share: 0.2, seed: 1 });
    expect(hashes(heldOut).size).toBe(30);
    expect(train.length + heldOut.length).toBe(200);
    expect([...hashes(heldOut)].filter((hash) => hashes(train).has(hash))).toEqual([]);
  });

  it("depends on seed and content alone", () => {
    const held = (examples: typeof many, seed: number) => hashes(splitExamples(examples, { seed }).heldOut);
    expect(held([...many].reverse(), 1)).toEqual(held(many, 1));
    expect(held(many, 2)).not.toEqual(held(many, 1));
    expect(hashExamples(many)).toBe(hashExamples([...many]));
    expect(hashExamples([...many].reverse())).not.toBe(hashExamples(many));
  });

  it("leaves something on each side", () => {
    for (const share of [0.01, 0.99]) {
      const { train, heldOut } = splitExamples([text("a"), text("b")], { share, seed: 1 });
      expect([train.length, heldOut.length]).toEqual([1, 1]);
    }
    expect(splitExamples(many, { share: 0, seed: 1 })).toEqual({ train: many, heldOut: [] });
    const [one] = [text("line one\nline two\nline three\n")];
    const { train, heldOut } = splitExamples([one], { share: 0.3, seed: 1 });
    expect([train, heldOut].map(([side]) => side!.body)).toEqual([
      { kind: "text", text: "line one\nline two\n" },
      { kind: "text", text: "line three\n" },
    ]);
    expect(() => splitExamples([chat("x"), chat("x")], { seed: 1 })).toThrow(DataError);
    expect(() => splitExamples(many, { share: 1, seed: 1 })).toThrow(ConfigError);
  });

  it("takes what is held out from what is learned", () => {
    const { train, numRemoved } = withoutHeldOut([text("a"), text("b", 2), text("a", 3)], [text("a", 9)]);
    expect(train.map(({ place: { line } }) => line)).toEqual([2]);
    expect(numRemoved).toBe(2);
  });
});
