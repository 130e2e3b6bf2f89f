/** @file Adapters as models of `tessera serve`'s app, asked for with the official OpenAI client. */

import { cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI, { NotFoundError } from "openai";
import { afterAll, beforeAll, expect, it } from "vitest";
import { merge } from "../../src/peft/index.js";
import { type OpenTextService, openTextService, type TextServiceOptions } from "../../src/pipeline/text-service.js";
import type { LoadedModel } from "../../src/presets/index.js";
import { Runtime } from "../../src/runtime/index.js";
import { listen, type RunningServer } from "../../src/server/index.js";
import { createOpenAiApp } from "../../src/server/openai/index.js";
import { writeRandomAdapter } from "../support/adapter-folder.js";
import { randomModel } from "../support/served-model.js";
import { tinyModel } from "../support/tiny-model.js";

const names = ["poet", "lawyer", "late"] as const;
const loaded = randomModel();
const merged: Record<string, LoadedModel> = { base: loaded };
const services: OpenTextService[] = [];
const servers: RunningServer[] = [];
let runtime: Runtime;
let folder: string;
let outside: string;
let client: OpenAI;

async function serve(model: LoadedModel, options: TextServiceOptions): Promise<OpenAI> {
  const service = await openTextService(runtime, model, options);
  services.push(service);
  const server = await listen(createOpenAiApp(service).app, { port: 0 });
  servers.push(server);
  return new OpenAI({ baseURL: `${server.url}v1`, apiKey: "none", maxRetries: 0 });
}

beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
  folder = await mkdtemp(join(tmpdir(), "tessera-adapters-"));
  for (const [seed, name] of names.entries()) {
    const targets = name === "lawyer" ? ["q_proj", "v_proj"] : ["k_proj", "o_proj", "up_proj", "down_proj"];
    const { adapter, parameters } = await writeRandomAdapter(join(folder, name), loaded.model, { seed, targets });
    const copies = [...loaded.parameters].map(([key, { data, ...rest }]) => [key, { ...rest, data: data.slice() }]);
    const together = new Map([...(copies as [string, never][]), ...parameters]);
    merge(loaded.model, adapter, together);
    merged[name] = { ...loaded, parameters: together };
  }
  await writeRandomAdapter(join(folder, "foreign"), tinyModel(), { seed: 1, targets: ["q_proj"] });
  await mkdir(join(folder, "empty"));
  outside = await mkdtemp(join(tmpdir(), "tessera-outside-"));
  await cp(join(folder, "late"), outside, { recursive: true });
  await symlink(outside, join(folder, "link"));
  client = await serve(loaded, {
    id: "base",
    adapters: ["poet", "lawyer"].map((id) => ({ id, folder: join(folder, id) })),
    adapterFolder: folder,
  });
});
afterAll(async () => {
  for (const server of servers) await server.close();
  for (const service of services) await service[Symbol.asyncDispose]();
  await runtime.close();
  for (const path of [folder, outside]) await rm(path, { recursive: true });
});

/** What `model` writes alone. */
async function textOf(of: OpenAI, model: string): Promise<string> {
  const { choices } = await of.completions.create({ model, prompt: "Hello, how", max_tokens: 16, temperature: 0 });
  return choices[0]!.text;
}

const load = (name: string, path: string): Promise<unknown> =>
  client.post("/load_lora_adapter", { body: { lora_name: name, lora_path: path } });

it("lists adapters with the model that they belong to", async () => {
  const models: Record<string, unknown> = {};
  for await (const model of client.models.list()) models[model.id] = (model as { parent?: string }).parent;
  expect(models).toEqual({ base: undefined, poet: "base", lawyer: "base" });
  expect(await client.models.retrieve("poet")).toMatchObject({ id: "poet", object: "model", parent: "base" });
});

it("answers with base and adapters at once as each merged model does alone", async () => {
  const asked = ["base", "poet", "lawyer", "poet"];
  const texts = await Promise.all(asked.map((model) => textOf(client, model)));
  for (const [i, model] of asked.entries()) {
    const alone = await serve(merged[model]!, { id: model });
    expect(texts[i], model).toBe(await textOf(alone, model));
  }
  expect(new Set(texts).size).toBe(3);
});

it("streams and chats as an adapter", async () => {
  const messages = [{ role: "user" as const, content: "Hello" }];
  const options = { messages, max_tokens: 8, temperature: 0 };
  const answer = await client.chat.completions.create({ model: "poet", ...options });
  expect(answer.model).toBe("poet");
  let streamed = "";
  for await (const { choices } of await client.chat.completions.create({ model: "poet", ...options, stream: true }))
    streamed += choices[0]?.delta.content ?? "";
  expect(streamed).toBe(answer.choices[0]!.message.content);
  const base = await client.chat.completions.create({ model: "base", ...options });
  expect(base.choices[0]!.message.content).not.toBe(streamed);
});

it("loads and unloads adapters while it serves", async () => {
  await expect(textOf(client, "late")).rejects.toBeInstanceOf(NotFoundError);
  const running = textOf(client, "base");
  expect(await load("late", "late")).toMatchObject({ id: "late", object: "model", parent: "base" });
  const alone = await serve(merged.late!, { id: "late" });
  expect(await textOf(client, "late")).toBe(await textOf(alone, "late"));
  expect(await running).toBe(await textOf(client, "base"));
  await expect(load("late", "late")).rejects.toMatchObject({ status: 400, code: "adapter_exists", param: "lora_name" });
  const unload = () => client.post("/unload_lora_adapter", { body: { lora_name: "late" } });
  expect(await unload()).toEqual({ id: "late", object: "model", deleted: true });
  await expect(unload()).rejects.toMatchObject({ status: 404, code: "adapter_not_found" });
  await expect(textOf(client, "late")).rejects.toBeInstanceOf(NotFoundError);
});

it("says why a folder cannot be an adapter", async () => {
  const refused = async (path: string): Promise<string> => {
    const error = await load("new", path).then(
      () => undefined,
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ status: 400, code: "invalid_adapter", param: "lora_path" });
    expect(error.message).not.toContain(folder);
    return error.message;
  };
  for (const path of ["..", "../other", "/etc", join(folder, "late", "..", ".."), "link"])
    expect(await refused(path), path).toContain("lies outside the folder");
  expect(await refused("nowhere")).toContain('there is no folder "nowhere"');
  expect(await refused("empty")).toContain("no adapter_config.json");
  expect(await refused("foreign")).toContain(
    "foreign: the adapter does not fit this base: expected base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight of shape [4,64], found [4,16]",
  );
  await expect(load("base", "late")).rejects.toMatchObject({ status: 400, code: "adapter_exists" });
  await expect(load("a b", "late")).rejects.toMatchObject({ status: 400, param: "lora_name" });
});

it("loads none where that is off", async () => {
  const fixed = await serve(loaded, { id: "base", adapters: [{ id: "poet", folder: join(folder, "poet") }] });
  expect(await textOf(fixed, "poet")).toBe(await textOf(client, "poet"));
  for (const path of ["/load_lora_adapter", "/unload_lora_adapter"]) {
    await expect(fixed.post(path, { body: { lora_name: "poet", lora_path: "poet" } })).rejects.toMatchObject({
      status: 403,
      code: "adapter_loading_off",
    });
  }
  const foreign = { id: "x", folder: join(folder, "foreign") };
  await expect(serve(loaded, { id: "base", adapters: [foreign] })).rejects.toThrow("does not fit this base: expected");
});
