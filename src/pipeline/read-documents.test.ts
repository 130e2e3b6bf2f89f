import { expect, it } from "vitest";
import { NO_ANSWER, type ReadingModel, readingStrategies } from "../long/index.js";
import { readDocuments } from "./read-documents.js";

/** Says the planted facts that its prompt holds, and nothing else. */
function factFinder(prompts: string[]): ReadingModel {
  const counter = { count: (text: string, start = 0, end = text.length) => Math.ceil((end - start) / 4) };
  return {
    id: "facts",
    contextLength: 120,
    counter,
    countPrompt: (prompt) => counter.count(prompt),
    async generate(prompt) {
      prompts.push(prompt);
      const facts = prompt.match(/FACT-\d+/g) ?? [];
      return facts.length > 0 ? [...new Set(facts)].join(" ") : NO_ANSWER;
    },
  };
}

const filler = "A sentence that says nothing to the point at all. ".repeat(8);
const document = (path: string, text: string) => ({ path, text, mediaType: "text/markdown" });

it.each(["map-reduce", "refine"] as const)("joins what each document says, by %s", async (name) => {
  const prompts: string[] = [];
  const documents = [
    document("a.md", `# A\n\n${filler}FACT-1. ${filler}`),
    document("b.md", `# B\n\n${filler}`),
    document("c.md", `# C\n\nFACT-2. ${filler}\n\n${filler}FACT-3.`),
  ];
  const request = { task: "Which facts?", answerTokens: 12 };
  const {
    text,
    documents: read,
    joined,
  } = await readDocuments(readingStrategies[name], factFinder(prompts), documents, request);
  expect(text.split(" ").sort()).toEqual(["FACT-1", "FACT-2", "FACT-3"]);
  expect(read.map(({ path }) => path)).toEqual(["a.md", "b.md", "c.md"]);
  expect(joined).toBeDefined();
  expect(prompts.some((prompt) => prompt.includes("# a.md") || prompt.includes("# c.md"))).toBe(true);
});

it("says so where no document says anything, and joins nothing where one does", async () => {
  const model = factFinder([]);
  const nothing = await readDocuments(readingStrategies["map-reduce"], model, [document("b.md", filler)], {
    task: "?",
  });
  expect(nothing.text).toBe(NO_ANSWER);
  const one = [document("a.md", "FACT-1"), document("b.md", filler)];
  expect(
    await readDocuments(readingStrategies["map-reduce"], model, one, { task: "?", answerTokens: 12 }),
  ).toMatchObject({ text: "FACT-1" });
});
