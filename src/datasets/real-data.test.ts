import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { UnsupportedError } from "../base/errors.js";
import { ChatTemplate, readChatTemplates, type Tokenizer, tokenizerFromJson } from "../tokenizers/index.js";
import { type ReadOptions, readExamples } from "./read-examples.js";
import { splitExamples } from "./split-examples.js";
import { tokenizeExamples } from "./tokenize-examples.js";

const shared = new URL("../../../shared/data/", import.meta.url);
const path = (name: string): string => fileURLToPath(new URL(name, shared));

describe.skipIf(!existsSync(shared))("real files, with SmolLM's tokenizer (need ../shared/data)", () => {
  let tokenizer: Tokenizer;
  let template: ChatTemplate;
  beforeAll(() => {
    const read = (name: string): string => readFileSync(new URL(`tok-smollm/${name}`, shared), "utf8");
    tokenizer = tokenizerFromJson(read("tokenizer.json"));
    template = readChatTemplates(JSON.parse(read("tokenizer_config.json"))).get("default")!;
  });

  const end = "<|im_end|>";
  const files: [name: string, format: string, numRows: number, numDuplicates: number, options: ReadOptions][] = [
    ["data-llamafactory/alpaca_en_demo.json", "alpaca", 999, 14, {}],
    ["data-llamafactory/alpaca_zh_demo.json", "alpaca", 1000, 8, {}],
    ["data-llamafactory/identity.json", "alpaca", 91, 0, {}],
    ["data-llamafactory/glaive_toolcall_en_demo.json", "sharegpt", 300, 35, {}],
    ["data-llamafactory/v1_sft_demo.jsonl", "llamafactory", 500, 1, {}],
    ["data-llamafactory/reason_tool_use_demo_50.jsonl", "llamafactory", 50, 0, {}],
    ["data-llamafactory/c4_demo.jsonl", "text", 300, 0, {}],
    ["data-llamafactory/wiki_demo.txt", "text", 30, 0, { textUnit: "line" }],
    ["data-tinystories/tinystories.txt", "text", 1, 0, {}],
    ["data-gsm8k/train.jsonl", "alpaca", 7473, 0, { columns: { instruction: "question", output: "answer" } }],
  ];

  it.each(files)(
    "%s is %s of %i rows, %i of them duplicates",
    async (name, format, numRows, numDuplicates, options) => {
      const { examples, report } = await readExamples(path(name), options);
      expect(report.files).toMatchObject([{ format, numRows, unknownFields: {} }]);
      expect(examples).toHaveLength(numRows);
      expect(report.empty).toEqual([]);
      expect(report.duplicates).toHaveLength(numDuplicates);
      const { train, heldOut } = splitExamples(examples, { seed: 1 });
      const hashes = new Set(train.map(({ hash }) => hash));
      expect(heldOut.length).toBeGreaterThan(0);
      expect(heldOut.filter(({ hash }) => hashes.has(hash))).toEqual([]);
    },
  );

  async function first(name: string, options: Partial<Parameters<typeof tokenizeExamples>[1]> = {}) {
    const { examples } = await readExamples(path(name));
    const marks = { prefix: [], suffix: [tokenizer.tokenId(end)!] };
    const { documents } = tokenizeExamples(examples.slice(0, 1), {
      tokenizer,
      marks,
      template,
      maxTokens: 4096,
      ...options,
    });
    const { ids, targets } = documents[0]!;
    const learned = ids.filter((_, i) => targets[i] === 1);
    const decode = (tokens: Int32Array): string => tokenizer.decode(tokens, { keepSpecialTokens: true });
    return { text: decode(ids), learned: decode(learned) };
  }

  it("the first Alpaca row", async () => {
    const { text, learned } = await first("data-llamafactory/alpaca_en_demo.json");
    const answer = learned.slice(0, -end.length);
    expect(learned).toMatch(/^Making crepes is an easy and delicious process! .*<\|im_end\|>$/s);
    expect(text).toBe(
      `<|im_start|>user\nDescribe a process of making crepes.${end}\n<|im_start|>assistant\n${answer}${end}\n`,
    );
  });

  it("the first row of tool calls, with tools as text and with a template that knows them", async () => {
    const call = { name: "search_recipes", arguments: { ingredients: ["chicken", "bell peppers", "rice"] } };
    const plain = await first("data-llamafactory/glaive_toolcall_en_demo.json", { tools: "text" });
    expect(plain.learned.split(end)[1]).toBe(`<tool_call>\n${JSON.stringify(call)}\n</tool_call>`);
    expect(plain.text).toContain(`<|im_start|>user\n<tool_response>\n{"recipes": [`);
    const { templates, tokens } = JSON.parse(
      readFileSync(new URL("../../test/golden/chat/rendered.json", import.meta.url), "utf8"),
    ) as { templates: Record<string, string>; tokens: Record<string, string> };
    const knows = await first("data-llamafactory/glaive_toolcall_en_demo.json", {
      template: new ChatTemplate(templates["qwen-tools"]!, tokens),
    });
    expect(knows.text).toContain('<tools>\n{"type": "function", "function": {"name": "search_recipes"');
    expect(knows.learned.split(end)[1]).toBe(
      '<tool_call>\n{"name": "search_recipes", "arguments": {"ingredients": ["chicken", "bell peppers", "rice"]}}\n</tool_call>',
    );
  });

  it("the first row with thoughts", async () => {
    const { learned } = await first("data-llamafactory/reason_tool_use_demo_50.jsonl", { tools: "text" });
    expect(learned).toMatch(
      /^<think>\nOkay, the user is asking .*\n<\/think>\n\nI'm sorry, but the available tools .*<\|im_end\|>$/s,
    );
  });

  it.each(["dpo_en_demo", "dpo_zh_demo", "kto_en_demo"])("%s is for another kind of training", async (name) => {
    await expect(readExamples(path(`data-llamafactory/${name}.json`))).rejects.toThrow(UnsupportedError);
  });

  it("a folder of documents", async () => {
    const { examples, report } = await readExamples(path("data-fastify-docs"));
    expect(examples.length).toBeGreaterThan(40);
    expect(report.files.every(({ format }) => format === "text")).toBe(true);
  });
});
