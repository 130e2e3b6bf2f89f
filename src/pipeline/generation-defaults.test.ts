/** @file What generation_config.json says reaches requests that say nothing, from the folder to the server's answer. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { json, post } from "../../test/support/openai-requests.js";
import { randomModel } from "../../test/support/served-model.js";
import { CheckpointError } from "../base/errors.js";
import { writeModel } from "../checkpoint/index.js";
import { loadModel } from "../presets/index.js";
import { Runtime } from "../runtime/index.js";
import { createOpenAiApp } from "../server/openai/index.js";
import { toTokenizerJson } from "../tokenizers/index.js";
import { openTextService } from "./text-service.js";

let runtime: Runtime;
let folder: string;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
  folder = await mkdtemp(join(tmpdir(), "tessera-defaults-"));
  const { config, parameters, tokenizer } = randomModel();
  const file = new TextEncoder().encode(toTokenizerJson(tokenizer as Parameters<typeof toTokenizerJson>[0]));
  await writeModel(join(folder, "model"), { config, tensors: parameters, files: new Map([["tokenizer.json", file]]) });
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await runtime.close();
});

async function opened(generationConfig: unknown) {
  await writeFile(join(folder, "model", "generation_config.json"), JSON.stringify(generationConfig));
  return openTextService(runtime, await loadModel(join(folder, "model")), { id: "m" });
}

it("decides how tokens are chosen and where texts end, unless the request does", async () => {
  await using plain = await opened({});
  const ask = async (service: typeof plain, more: object) => {
    const body = { model: "m", prompt: "You are", max_tokens: 12, seed: 1, ...more };
    const { choices } = (await json(post(createOpenAiApp(service), "/v1/completions", body))) as {
      choices: { text: string; finish_reason: string }[];
    };
    return choices[0]!;
  };
  const [sampled, greedy] = [await ask(plain, {}), await ask(plain, { temperature: 0 })];
  expect(sampled.text).not.toBe(greedy.text);

  await using calm = await opened({ do_sample: false, num_beams: 4 });
  expect(calm.models()).toMatchObject([{ defaults: { temperature: 0 }, unfollowed: ["num_beams"] }]);
  expect(await ask(calm, {})).toEqual(greedy);
  expect(await ask(calm, { temperature: 1 })).toEqual(sampled);

  await using single = await opened({ temperature: 1.5, top_k: 1 });
  expect((await ask(single, {})).text).toBe(greedy.text);
  expect((await ask(single, { top_k: 300, temperature: 1 })).text).toBe(sampled.text);

  const { tokenizer } = await loadModel(join(folder, "model"));
  const [first] = tokenizer.encode(greedy.text);
  await using ending = await opened({ eos_token_id: [first] });
  expect(await ask(ending, { temperature: 0 })).toMatchObject({ text: "", finish_reason: "stop" });
});

it("is refused when it is malformed", async () => {
  await expect(opened({ temperature: "warm" })).rejects.toThrow(CheckpointError);
  await expect(opened({ temperature: "warm" })).rejects.toThrow("generation_config.json: temperature");
});
