import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomModel } from "../../../test/support/served-model.js";
import { Engine, jsonSchemaConstraint, TokenTrie, tokenBytes, Weights } from "../../engine/index.js";
import { Runtime } from "../../runtime/index.js";
import type { BlockRecord } from "./block.js";
import { type BlockModel, type BlockOptions, writeBlocks } from "./write-blocks.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
});
afterAll(() => runtime.close());

const loaded = randomModel({ contextLength: 128 });
const { tokenizer } = loaded;
const prompt = tokenizer.encode("What is the weather in Paris?");

async function open(contextLength = 128): Promise<BlockModel & { readonly engine: Engine }> {
  const weights = new Weights(loaded.model, loaded.parameters, "float32");
  const engine = await Engine.create(runtime, loaded.model, weights, { contextLength, prefillTokens: 16 });
  return { engine, tokenizer };
}

async function written(
  model: BlockModel,
  options: Omit<BlockOptions, "prompt">,
  done: readonly BlockRecord[] = [],
): Promise<BlockRecord[]> {
  const records = [...done];
  for await (const record of writeBlocks(model, { prompt, ...options }, done)) records.push(record);
  return records;
}

const textOf = (records: readonly BlockRecord[]): string => records.map(({ text }) => text).join("");
const sampled = { temperature: 1, topK: 40, seed: 3, frequencyPenalty: 0.4, repetitionPenalty: 1.1 };

/** The text of one request. */
async function atOnce(options: object, maxTokens: number): Promise<string> {
  const { engine } = await open();
  const decoder = tokenizer.streamDecoder();
  for (const id of prompt) decoder.push(id);
  let text = "";
  for await (const { id } of engine.generate(prompt, { ...options, maxTokens })) text += decoder.push(id);
  await engine.close();
  return text + decoder.flush();
}

describe.each([
  ["greedy", {}],
  ["sampled", sampled],
])("blocks of a %s text", (_, options) => {
  it.each([1, 7, 16, 40])("of %i tokens are the text of one request", async (blockTokens) => {
    const model = await open();
    const records = await written(model, { ...options, blockTokens, maxTokens: 60 });
    expect(records).toHaveLength(Math.ceil(60 / blockTokens));
    expect(textOf(records)).toBe(await atOnce(options, 60));
    expect(records.map(({ isLast }) => isLast)).toEqual(records.map((__, i) => i === records.length - 1));
    await model.engine.close();
  });

  it.each(["stop", "roll"] as const)("go on from any of them in a fresh engine (%s)", async (beyondContext) => {
    const model = await open(64);
    const asked = { ...options, blockTokens: 9, beyondContext, maxTokens: 150 };
    const records = await written(model, asked);
    expect(records.at(-1)!.end).toBe(beyondContext === "stop" ? "context" : "full");
    for (const kept of [0, 1, 3, records.length - 1, records.length]) {
      const fresh = await open(64);
      expect(await written(fresh, asked, records.slice(0, kept))).toEqual(records);
      await fresh.engine.close();
    }
    await model.engine.close();
  });
});

describe("the hook of a block", () => {
  it("sees blocks and the text before them, and ends the text", async () => {
    const model = await open();
    const seen: string[] = [];
    const records = await written(model, {
      blockTokens: 8,
      onBlock: async ({ index, text, numTokens, end }, before) => {
        seen.push(before + text);
        expect({ numTokens, end }).toEqual({ numTokens: 8, end: "full" });
        return { stop: index === 2 };
      },
    });
    expect(records).toHaveLength(3);
    expect(seen.at(-1)).toBe(textOf(records).slice(0, seen.at(-1)!.length));
    expect(seen.every((text, i) => i === 0 || text.startsWith(seen[i - 1]!))).toBe(true);
    await model.engine.close();
  });

  it("puts guidance before the model and another text in a block's place; a resumed text needs no hook for it", async () => {
    const model = await open();
    const onBlock: BlockOptions["onBlock"] = ({ index }) => {
      if (index === 0) return { guidance: " You are helpful." };
      return index === 1 ? { text: " sunny é" } : undefined;
    };
    const asked = { ...sampled, blockTokens: 8, maxTokens: 32 };
    const records = await written(model, { ...asked, onBlock });
    const plain = await written(model, asked);
    expect(records[0]!.ids).toEqual(plain[0]!.ids);
    expect(records[1]!.ids).not.toEqual(plain[1]!.ids);
    expect(records[1]!.text).toBe(" sunny é");
    expect(textOf(records)).not.toContain("helpful");
    // what stood in place of the second block is what the third was written behind
    const read = [
      ...prompt,
      ...records[0]!.ids,
      ...tokenizer.encode(" You are helpful."),
      ...tokenizer.encode(" sunny é"),
    ];
    const { value } = await model.engine.generate(read, { maxTokens: 1 }).next();
    const greedy = await written(model, { blockTokens: 8, maxTokens: 17 }, [records[0]!, records[1]!]);
    expect(greedy[2]!.ids).toEqual([(value as { id: number }).id]);
    for (const kept of [2, 3, 4]) expect(await written(await open(), asked, records.slice(0, kept))).toEqual(records);
    await model.engine.close();
  });

  it("goes on behind a text that ended by itself, at a stop id or a stop string", async () => {
    const model = await open();
    const [first] = await written(model, { blockTokens: 20, maxTokens: 20 });
    const stopIds = new Set([first!.ids[6]!]);
    const ended = await written(model, { blockTokens: 20, stopIds });
    expect(ended).toMatchObject([
      { end: "stop", isLast: true, ids: first!.ids.slice(0, first!.ids.indexOf([...stopIds][0]!)) },
    ]);
    const stop = first!.text.slice(4, 8);
    const onBlock: BlockOptions["onBlock"] = ({ end }) => (end === "stop" ? { guidance: "\n" } : undefined);
    const asked = { blockTokens: 20, stop: [stop], maxTokens: 60, onBlock };
    const records = await written(model, asked);
    expect(records.length).toBeGreaterThan(2);
    expect(records[0]).toMatchObject({ end: "stop", guidance: "\n", text: first!.text.split(stop)[0] });
    expect(await written(await open(), asked, records.slice(0, 2))).toEqual(records);
    await model.engine.close();
  });
});

it("keeps a stop string that spans blocks out of the text", async () => {
  const model = await open();
  const whole = textOf(await written(model, { blockTokens: 40, maxTokens: 40 }));
  for (const at of [9, 12, 15, 21]) {
    const stop = whole.slice(at, at + 6);
    const records = await written(model, { blockTokens: 1, maxTokens: 40, stop: [stop] });
    expect(textOf(records)).toBe(whole.slice(0, whole.indexOf(stop)));
  }
  await model.engine.close();
});

it("goes on with a constraint", async () => {
  const model = await open();
  const schema = { type: "array", items: { type: "integer" }, minItems: 9, maxItems: 12 };
  const constraint = jsonSchemaConstraint(schema, new TokenTrie(tokenBytes(tokenizer)));
  const asked = { temperature: 1, seed: 5, blockTokens: 5, constraint };
  const records = await written(model, asked);
  expect(records.length).toBeGreaterThan(3);
  expect(JSON.parse(textOf(records)).length).toBeGreaterThanOrEqual(9);
  expect(await written(await open(), asked, records.slice(0, 2))).toEqual(records);
  await model.engine.close();
});

it("ends without a last block when it is given up", async () => {
  const model = await open();
  const controller = new AbortController();
  const onBlock: BlockOptions["onBlock"] = ({ index }) => {
    if (index === 1) controller.abort();
    return undefined;
  };
  const records = await written(model, { blockTokens: 8, onBlock, signal: controller.signal });
  expect(records.map(({ isLast }) => isLast)).toEqual([false, false]);
  await model.engine.close();
});

it("says what is wrong", async () => {
  const model = await open(32);
  await expect(written(model, { blockTokens: 0 })).rejects.toThrow("blockTokens must be a whole number from 1");
  await expect(written(model, { blockTokens: 16, beyondContext: "roll" })).rejects.toThrow("two blocks of 16");
  const [record] = await written(model, { blockTokens: 4, maxTokens: 4 });
  await expect(written(model, { blockTokens: 4 }, [{ ...record!, text: "other", isLast: false }])).rejects.toThrow(
    "block 1: its tokens do not give the text",
  );
  await model.engine.close();
});
