import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { HostTensor } from "../base/host-tensor.js";
import { type JsonValue, writeModel } from "../checkpoint/index.js";
import { defineFamily, gpt2 } from "../models/index.js";
import { initialize, type LanguageModel, parameterSpecs } from "../nn/index.js";
import { toTokenizerJson, trainByteLevelBpe } from "../tokenizers/index.js";
import { loadModel, openModel } from "./load.js";

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "tessera-load-"));
});
afterAll(() => rm(scratch, { recursive: true }));

const tokenizer = trainByteLevelBpe(["a text to learn from"], { vocabSize: 260 });
const sizes = { vocab_size: tokenizer.vocabSize, n_embd: 8, n_layer: 1, n_head: 2, n_positions: 16 };

async function write(name: string, config: object, tensors: ReadonlyMap<string, HostTensor>): Promise<string> {
  const folder = join(scratch, name);
  const files = new Map([["tokenizer.json", new TextEncoder().encode(toTokenizerJson(tokenizer))]]);
  await writeModel(folder, { config: JSON.parse(JSON.stringify(config)) as Record<string, JsonValue>, tensors, files });
  return folder;
}

const valuesOf = (model: LanguageModel) => initialize(parameterSpecs(model), 1);

describe("loadModel", () => {
  it("finds parameters of a checkpoint that was saved without its head, so without a prefix", async () => {
    const model = gpt2({ model_type: "gpt2", ...sizes });
    const values = valuesOf(model);
    const bare = new Map([...values].map(([name, tensor]) => [name.replace("transformer.", ""), tensor]));
    const loaded = await loadModel(await write("bare", model.config, bare));
    expect([...loaded.parameters.keys()]).toEqual([...values.keys()]);
    for (const [name, { data }] of values) expect(loaded.parameters.get(name)!.data, name).toEqual(data);
  });

  it("takes families of one's own, and says how where one is missing", async () => {
    const mine = defineFamily("mine", z.looseObject({}), (config) => ({
      ...gpt2({ ...sizes }),
      family: "mine",
      config: { ...config },
    }));
    const model = mine({ model_type: "mine" });
    const folder = await write("mine", model.config, valuesOf(model));
    expect((await loadModel(folder, { families: { mine } })).model.family).toBe("mine");
    await expect(loadModel(folder)).rejects.toThrow(/"mine" is not supported.*families/);
  });

  it("names the first parameter that is missing", async () => {
    const model = gpt2({ model_type: "gpt2", ...sizes });
    const values = valuesOf(model);
    values.delete("transformer.wpe.weight");
    const folder = await write("missing", model.config, values);
    await expect(loadModel(folder)).rejects.toThrow(/tensor transformer\.wpe\.weight of shape \[16,8\], found nothing/);
  });
});

describe("openModel", () => {
  it("reads parameters one at a time, in the order of computation, as often as they are asked for", async () => {
    const model = gpt2({ model_type: "gpt2", ...sizes });
    const values = valuesOf(model);
    const folder = await write("opened", model.config, values);
    await using opened = await openModel(folder);
    for (const _ of [1, 2]) {
      const names: string[] = [];
      for await (const [name, { data }] of opened.parameters) {
        expect(data, name).toEqual(values.get(name)!.data);
        names.push(name);
      }
      expect(names).toEqual([...values.keys()]);
    }
    const [first, again] = [opened.parameters, opened.parameters].map((some) => some[Symbol.asyncIterator]());
    expect((await first!.next()).value[1].data.buffer).not.toBe((await again!.next()).value[1].data.buffer);
  });

  it("says that a parameter is missing before any is read, and that one has another shape when it is", async () => {
    const model = gpt2({ model_type: "gpt2", ...sizes });
    const values = valuesOf(model);
    const last = [...values.keys()].at(-1)!;
    values.set(last, { dtype: "float32", shape: [3], data: new Float32Array(3) });
    await using opened = await openModel(await write("misshapen", model.config, values));
    const seen: string[] = [];
    const readAll = async (): Promise<void> => {
      for await (const [name] of opened.parameters) seen.push(name);
    };
    await expect(readAll()).rejects.toThrow(`expected a tensor ${last} of shape [8], found [3]`);
    expect(seen).toEqual([...values.keys()].slice(0, -1));
    values.delete(last);
    await expect(openModel(await write("without", model.config, values))).rejects.toThrow(
      `${last} of shape [8], found nothing`,
    );
  });
});
