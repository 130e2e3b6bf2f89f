import { describe, expect, it } from "vitest";
import type { Example, ExampleBody } from "../../datasets/index.js";
import { withDemonstrations } from "./demonstrations.js";

const example = (hash: string, body: ExampleBody): Example => ({ hash, body, place: { file: "a.jsonl", line: 1 } });
const chat = (question: string, answer: string, system?: string): ExampleBody => ({
  kind: "chat",
  messages: [
    ...(system === undefined ? [] : [{ role: "system", content: system }]),
    { role: "user", content: question },
    { role: "assistant", content: answer },
  ],
  style: "instruction",
});
const pool = [
  example("1", chat("the red sea", "r")),
  example("2", chat("a dog", "d", "Be brief.")),
  example("3", chat("the red ship at sea", "s")),
];

describe("demonstrations of training examples", () => {
  it("stand before the question, the nearest last, and are not learned; never the example itself", () => {
    const [found] = withDemonstrations(
      [example("1", chat("the red sea", "r", "Be kind."))],
      pool,
      { count: 2, select: "knn" },
      1,
    );
    expect(found!.body).toEqual({
      kind: "chat",
      messages: [
        { role: "system", content: "Be kind." },
        { role: "user", content: "a dog" },
        { role: "assistant", content: "d" },
        { role: "user", content: "the red ship at sea" },
        { role: "assistant", content: "s" },
        { role: "user", content: "the red sea" },
        { role: "assistant", content: "r" },
      ],
      unlearned: [2, 4],
      style: "instruction",
    });
  });

  it("are the same for all where the choice is fixed, and part of the prompt of completions", () => {
    const completions = ["one", "two", "three"].map((word, i) =>
      example(word, { kind: "completion", prompt: `${word} plus one is `, completion: `${i + 2}` }),
    );
    const shown = withDemonstrations(completions, completions, { count: 1, select: "vote-k" }, 1);
    expect(shown[2]!.body).toEqual({
      kind: "completion",
      prompt: "one plus one is 2\n\nthree plus one is ",
      completion: "4",
    });
    expect(shown[0]!.body).toMatchObject({ prompt: "two plus one is 3\n\none plus one is " });
  });

  it("are refused for plain text", () => {
    const text = example("t", { kind: "text", text: "Once" });
    expect(() => withDemonstrations([text], [text], { count: 1, select: "knn" }, 1)).toThrow("a.jsonl is plain text");
  });
});
