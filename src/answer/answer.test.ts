import { describe, expect, it } from "vitest";
import { DataError } from "../base/errors.js";
import { recursive } from "../chunk/index.js";
import { packContext, type StoredChunk } from "../retrieval/index.js";
import { attributedAnswer, NOT_SAID, quoteAnswer, writtenAnswer } from "./answer.js";
import { citations } from "./citations.js";
import { evidence } from "./evidence.js";

const counter = { count: (text: string, start = 0, end = text.length) => Math.ceil((end - start) / 4) };

const sources: Record<string, string> = {
  "bridge.md":
    "# The bridge\n\nIt was opened in 1932. Its arch spans 503 metres, and eight lanes of traffic cross it.\n\n## Paint\n\nThe painters use a grey that is made for it alone. They need 272,000 litres of paint for the first three coats.\n",
  "ferry.md": "# The ferry\n\nIt leaves every 20 minutes. Before 1932 it carried forty million people a year.\n",
  "桥.md": "# 大桥\n\n大桥于1932年通车。桥拱跨度为503米，桥上有八条车道。\n",
};
const sourceOf = (path: string): string | undefined => sources[path];

const passages = Object.entries(sources).flatMap(([path, text]) =>
  [...recursive.chunk(text, { counter, maxTokens: 40 })].map((chunk, i) => ({
    chunk: { ...chunk, id: `${path}#${i}`, path, documentHash: path } satisfies StoredChunk,
    score: 1,
  })),
);

describe("quotes that answer", () => {
  it.each([
    ["How far does the arch span?", "Its arch spans 503 metres, and eight lanes of traffic cross it."],
    [
      "How much paint do three coats need?",
      "The painters use a grey that is made for it alone. They need 272,000 litres of paint for the first three coats.",
    ],
    ["How many people did the ferry carry before 1932?", "Before 1932 it carried forty million people a year."],
    ["桥拱的跨度是多少米？", "桥拱跨度为503米，桥上有八条车道。"],
  ])("to %s is what the document says there", async (question, expected) => {
    const { statements, isSupported } = await quoteAnswer(question, passages, sourceOf, { limit: 1 });
    expect(isSupported).toBe(true);
    const [quote] = statements[0]!.quotes;
    expect(quote!.text).toBe(expected);
    expect(sources[quote!.path]!.slice(quote!.start, quote!.end)).toBe(expected);
  });

  it("are rows and items for themselves, never headings", () => {
    const text =
      "## Sizes of the pump\n\n| part | size |\n| --- | --- |\n| inlet | 40 mm |\n| outlet | 32 mm |\n\n- The lamp is green\n- The lamp of the pump is red when it is hot\n";
    const chunk = { path: "a.md", start: 0, text, headingPath: ["Sizes of the pump"] };
    const found = (question: string) =>
      evidence(question, [{ chunk, score: 1 }], { limit: 1, minCoverage: 0 })[0]?.text;
    expect(found("size of the outlet")).toBe("| outlet | 32 mm |");
    expect(found("when is the lamp of the pump red")).toBe("- The lamp of the pump is red when it is hot");
    expect(
      evidence("sizes of the pump", [{ chunk, score: 1 }], { limit: 9, minCoverage: 0 }).map(({ text }) => text),
    ).not.toContain("## Sizes of the pump");
  });

  it("are none where nothing comes near", async () => {
    const answer = await quoteAnswer("Which composer wrote the opera?", passages, sourceOf);
    expect(answer).toEqual({ statements: [], isSupported: false });
  });

  it("never come twice from one place", () => {
    const twice = [...passages, ...passages];
    const quotes = evidence("the arch, the paint and the lanes of traffic", twice, { limit: 5, minCoverage: 0 });
    expect(quotes.length).toBeGreaterThan(1);
    expect(new Set(quotes.map(({ path, start }) => `${path} ${start}`)).size).toBe(quotes.length);
  });

  it("for the same question put otherwise follow those for the question", async () => {
    const texts = async (questions: readonly string[], limit: number) => {
      const { statements } = await quoteAnswer(questions, passages, sourceOf, { limit });
      return statements.map(({ text }) => text);
    };
    const questions = ["How much paint do they need?", "How much paint do they need? ferry every minutes leaves"];
    const [paint, ...more] = await texts(questions, 3);
    expect(paint).toContain("272,000 litres");
    expect(more).toContain("It leaves every 20 minutes.");
    expect(await texts(questions, 1)).toEqual([paint]);
    expect(new Set([paint, ...more]).size).toBe(more.length + 1);
  });

  it("are refused where the document has changed since", async () => {
    const changed = (path: string): string | undefined => sourceOf(path)?.replace("503", "504");
    await expect(quoteAnswer("How far does the arch span?", passages, changed)).rejects.toThrow(DataError);
    await expect(quoteAnswer("How far does the arch span?", passages, () => undefined)).rejects.toThrow("is gone");
  });
});

describe("what a model wrote", () => {
  const answered = async (write: (prompt: string) => string) =>
    writtenAnswer("How long is the arch?", await packContext(passages, { counter, budget: 1000 }), {
      write: async (prompt) => write(prompt),
      sourceOf,
    });

  it("keeps the quotes that stand in their passage, to the letter, and no other", async () => {
    const answer = await answered((prompt) => {
      const number = /\[(\d+)\] bridge\.md: The bridge\n/.exec(prompt)![1];
      return `The arch spans 503 metres [${number}: "arch spans 503 metres"]. It is 600 m high [${number}: "600 m high"]. It is old.`;
    });
    expect(answer.statements.map(({ text, quotes }) => [text, quotes.map((quote) => quote.text)])).toEqual([
      ["The arch spans 503 metres", ["arch spans 503 metres"]],
      ["It is 600 m high", []],
      ["It is old.", []],
    ]);
    expect(answer.isSupported).toBe(false);
    const [quote] = answer.statements[0]!.quotes;
    expect(sources["bridge.md"]!.slice(quote!.start, quote!.end)).toBe("arch spans 503 metres");
  });

  it("gets the sentence that says so where only the passage is named, if one does", async () => {
    const answer = await answered((prompt) => {
      const number = /\[(\d+)\] bridge\.md: The bridge\n/.exec(prompt)![1];
      return `The arch spans 503 metres [${number}]. The composer came from Vienna [${number}].`;
    });
    expect(answer.statements.map(({ quotes }) => quotes.map(({ text }) => text))).toEqual([
      ["Its arch spans 503 metres, and eight lanes of traffic cross it."],
      [],
    ]);
  });

  it("may be that the documents do not say", async () => {
    expect(await answered(() => `${NOT_SAID}\n`)).toEqual({ statements: [], isSupported: false, written: NOT_SAID });
  });

  it("is read with several passages, curly marks and Chinese brackets", () => {
    expect(citations("A [1, 2]. B [3: “b”][4]. C 「没有」[5: 「五」]。 D")).toEqual([
      { statement: "A", cited: [{ number: 1 }, { number: 2 }] },
      { statement: "B", cited: [{ number: 3, words: "b" }, { number: 4 }] },
      { statement: "C 「没有」", cited: [{ number: 5, words: "五" }] },
      { statement: "D", cited: [] },
    ]);
  });
});

describe("what a model wrote without numbers", () => {
  const written = "The ferry leaves every 20 minutes. The arch is 600 metres high and made of glass.";

  it("gets the sentences that say so, where there are some", async () => {
    const asked: string[] = [];
    const find = async (statement: string) => {
      asked.push(statement);
      return passages;
    };
    const answer = await attributedAnswer(written, find, sourceOf);
    expect(answer).toMatchObject({ written, isSupported: false });
    expect(answer.statements.map(({ quotes }) => quotes.map(({ text }) => text))).toEqual([
      ["It leaves every 20 minutes."],
      [],
    ]);
    expect(asked).toEqual(answer.statements.map(({ text }) => text));
    await expect(attributedAnswer(written, find, () => undefined)).rejects.toThrow(DataError);
  });

  it("may be nothing", async () => {
    expect(await attributedAnswer("", async () => passages, sourceOf)).toEqual({
      statements: [],
      isSupported: false,
      written: "",
    });
  });
});
