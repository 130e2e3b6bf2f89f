/** @file Summaries of a folder and conversations with it, with and without a model. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CapacityError, ConfigError, DataError } from "../../base/errors.js";
import type { ReadingModel } from "../../long/index.js";
import { KnowledgeBase } from "./knowledge-base.js";

const texts: Record<string, string> = {
  "pump.md":
    "# Pump\n\nThe pump moves the water of the mill. It starts when the water is at 40 degrees.\n\n## Care\n\nOil it with linseed once a month, says Margaret Oduya.\n",
  "valve.md": "# Valve\n\nThe valve opens when the pressure is above 6 bar. It weighs nine kilograms.\n",
  "窑.md": "# 窑\n\n窑要加热到一千二百度才能使用。冷却需要十二个小时，然后才能打开门。\n",
};

let root: string;
let knowledge: KnowledgeBase;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tessera-presets-"));
  await mkdir(join(root, "docs"));
  for (const [path, text] of Object.entries(texts)) await writeFile(join(root, "docs", path), text);
  const settings = { embedder: "none" };
  knowledge = await KnowledgeBase.open(join(root, "docs"), { workspace: join(root, "workspace"), settings });
  await knowledge.sync();
});
afterEach(async () => {
  await knowledge.close();
  await rm(root, { recursive: true });
});

/** A model that a function writes for, a token for four characters. */
const modelOf = (write: (prompt: string) => string, contextLength = 2000): ReadingModel => ({
  id: "scripted",
  contextLength,
  counter: { count: (text, start = 0, end = text.length) => Math.ceil((end - start) / 4) },
  countPrompt: (prompt) => Math.ceil(prompt.length / 4),
  generate: async (prompt) => write(prompt),
});

describe("a summary", () => {
  it("quotes every document, in their order, to the letter", async () => {
    const { statements, isSupported, covered, uncovered } = await knowledge.summary();
    expect(isSupported).toBe(true);
    expect([covered, uncovered]).toEqual([Object.keys(texts), []]);
    const quotes = statements.flatMap((statement) => statement.quotes);
    for (const { path, start, end, text } of quotes) expect(texts[path]!.slice(start, end)).toBe(text);
    expect(quotes.map(({ path }) => path)).toEqual(quotes.map(({ path }) => path).sort());
    expect(quotes.find(({ text }) => text.startsWith("Oil"))).toMatchObject({ headingPath: ["Pump", "Care"] });
  });

  it("is as short as is wanted, and says what it leaves out", async () => {
    const one = await knowledge.summary({ limit: 1 });
    expect(one.statements).toHaveLength(1);
    expect([one.covered.length, one.uncovered.length]).toEqual([1, 2]);
    const counter = { count: (text: string, start = 0, end = text.length) => end - start };
    const short = await knowledge.summary({ maxTokens: 80, counter });
    expect(short.statements.length).toBeGreaterThan(0);
    expect(short.statements.map(({ text }) => text).join("\n").length).toBeLessThanOrEqual(80);
    const some = await knowledge.summary({ paths: ["valve.md"] });
    expect([some.covered, some.uncovered]).toEqual([["valve.md"], []]);
  });

  it("keeps to a topic, in English and Chinese", async () => {
    const pressure = await knowledge.summary({ topic: "pressure" });
    expect(pressure.statements.map(({ text }) => text)).toEqual(["The valve opens when the pressure is above 6 bar."]);
    expect(pressure.uncovered).toEqual(["pump.md", "窑.md"]);
    const cooling = await knowledge.summary({ topic: "冷却" });
    expect(cooling.statements[0]!.text).toBe("冷却需要十二个小时，然后才能打开门。");
    expect((await knowledge.summary({ topic: "opera" })).statements).toEqual([]);
  });

  it("is written by a model from all documents, and what they do not say is marked", async () => {
    const prompts: string[] = [];
    const model = modelOf((prompt) => {
      prompts.push(prompt);
      if (prompt.includes("# valve.md"))
        return "The valve opens above a pressure of 6 bar. It was painted by a composer.";
      return prompt.includes("valve") ? "It opens above 6 bar." : "It says something.";
    });
    const summary = await knowledge.summary({ model });
    expect(prompts.filter((prompt) => prompt.startsWith("A part of a document"))).toHaveLength(4);
    expect(summary.isSupported).toBe(false);
    expect(summary.statements.map(({ quotes }) => quotes.map(({ text }) => text))).toEqual([
      ["The valve opens when the pressure is above 6 bar."],
      [],
    ]);
    expect([summary.covered, summary.uncovered]).toEqual([["valve.md"], ["pump.md", "窑.md"]]);
    expect(await knowledge.summary({ model: modelOf(() => "NONE") })).toMatchObject({
      statements: [],
      written: "NONE",
    });
    prompts.length = 0;
    await knowledge.summary({ model, topic: "pressure", strategy: "refine" });
    expect(prompts).toHaveLength(1);
    expect(prompts[0]).toContain("about: pressure");
    expect(prompts[0]).toContain("above 6 bar");
  });

  it("refuses what cannot be", async () => {
    await expect(knowledge.summary({ limit: 0 })).rejects.toThrow(ConfigError);
    await expect(knowledge.summary({ maxTokens: 2 })).rejects.toThrow(/none of the \d best sentences fits 2 tokens/);
    await expect(knowledge.summary({ maxTokens: 1.5 })).rejects.toThrow("maxTokens must be a whole number from 1");
    await expect(knowledge.summary({ topic: " " })).rejects.toThrow("the topic is empty");
    await expect(knowledge.summary({ paths: ["hose.md"] })).rejects.toThrow("hose.md is not in the index");
    await writeFile(join(root, "docs", "pump.md"), "# Pump\n\nIt is another one now, with other words.\n");
    await expect(knowledge.summary()).rejects.toThrow(DataError);
  });
});

describe("a conversation", () => {
  it("takes from the questions before what a question leaves out", async () => {
    const dialogue = knowledge.dialogue({ limit: 1 });
    const first = await dialogue.ask("At what pressure does the valve open?");
    expect(first).not.toHaveProperty("standalone");
    const second = await dialogue.ask("And its weight?");
    expect(second.standalone).toBe("And its weight? pressure valve open");
    expect(second.retrieved.passages[0]!.chunk.path).toBe("valve.md");
    expect(second.retrieved.questions).toEqual(["And its weight?", second.standalone]);
    const other = await dialogue.ask("冷却需要多少个小时？");
    expect(other.answer.statements[0]!.text).toBe("冷却需要十二个小时，然后才能打开门。");
    const why = await dialogue.ask("为什么？");
    expect(why.retrieved.passages[0]!.chunk.path).toBe("窑.md");
    expect(dialogue.exchanges.map(({ question }) => question)).toEqual([
      "At what pressure does the valve open?",
      "And its weight?",
      "冷却需要多少个小时？",
      "为什么？",
    ]);
    dialogue.clear();
    expect(await dialogue.ask("And its weight?")).not.toHaveProperty("standalone");
  });

  it("lets a model put a question by itself, and answer that", async () => {
    const prompts: string[] = [];
    const model = modelOf((prompt) => {
      prompts.push(prompt);
      if (prompt.startsWith("A conversation")) return "How much does the valve weigh?\nIt weighs";
      const number = /\[(\d+)\] valve\.md/.exec(prompt)?.[1];
      return `It is so [${number}: "weighs nine kilograms"].`;
    });
    const dialogue = knowledge.dialogue({ model });
    await dialogue.ask("At what pressure does the valve open?");
    expect(prompts).toHaveLength(1);
    const { standalone, answer } = await dialogue.ask("And its weight?");
    expect(prompts[1]).toContain("user: At what pressure does the valve open?\nassistant: It is so");
    expect(standalone).toBe("How much does the valve weigh?");
    expect(prompts[2]).toContain("Question: How much does the valve weigh?");
    expect(answer.statements[0]!.quotes).toMatchObject([{ path: "valve.md", text: "weighs nine kilograms" }]);
  });

  it("keeps the latest exchanges within a context, and says where one is too long", async () => {
    const prompts: string[] = [];
    const model = modelOf((prompt) => {
      prompts.push(prompt);
      return "Pump?";
    }, 250);
    const dialogue = knowledge.dialogue({ model, passages: 1 });
    const long = (word: string): string => `${`${word} `.repeat(20)}pump?`;
    for (const word of ["alpha", "beta", "gamma", "delta"]) await dialogue.ask(long(word));
    const last = prompts.findLast((prompt) => prompt.startsWith("A conversation"))!;
    expect(last).toContain("gamma");
    expect(last).not.toContain("alpha");
    await expect(dialogue.ask("epsilon ".repeat(150))).rejects.toThrow(CapacityError);
    expect(dialogue.exchanges).toHaveLength(4);
    await expect(knowledge.ask("pump ".repeat(300), { model })).rejects.toThrow("leave no room for passages");
    await expect(dialogue.ask(" \n")).rejects.toThrow("the question is empty");
  });
});
