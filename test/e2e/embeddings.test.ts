/** @file Embeddings over HTTP: our server with the model of the package, our HTTP embedder as its client, a cache between. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { builtinFolder, cachedEmbedder, openEmbedder, readStaticModel } from "../../src/embed/index.js";
import { type OpenTextService, openTextService } from "../../src/pipeline/text-service.js";
import { Runtime } from "../../src/runtime/index.js";
import { listen, type RunningServer } from "../../src/server/index.js";
import { createOpenAiApp, parseApiKeys } from "../../src/server/openai/index.js";
import { randomModel } from "../support/served-model.js";

const KEY = "sk-test-0123456789";
let runtime: Runtime;
let service: OpenTextService;
let server: RunningServer;
let folder: string;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
  const { model } = await readStaticModel(builtinFolder());
  service = await openTextService(runtime, randomModel(), { id: "tiny", embeddings: { id: "builtin", loaded: model } });
  const keys = await parseApiKeys(JSON.stringify([{ name: "test", key: KEY }]), "test");
  server = await listen(createOpenAiApp(service, { keys, log: () => {} }).app, { port: 0 });
  folder = await mkdtemp(join(tmpdir(), "tessera-vectors-"));
  process.env.TESSERA_TEST_KEY = KEY;
});
afterAll(async () => {
  delete process.env.TESSERA_TEST_KEY;
  await server.close();
  await service[Symbol.asyncDispose]();
  await runtime.close();
  await rm(folder, { recursive: true });
});

it("gives the vectors that the model itself gives, and asks for none twice", async () => {
  const options = { model: "builtin", apiKeyVariable: "TESSERA_TEST_KEY" };
  const embedder = await cachedEmbedder(await openEmbedder(`${server.url}v1`, options), folder);
  const texts = Array.from({ length: 150 }, (_, i) => `Plugin ${i} is registered. 插件 ${i}`);
  const expected = await (await openEmbedder("builtin")).embed(texts, "passage");
  const vectors = await embedder.embed(texts, "passage");
  for (const [i, vector] of vectors.entries()) {
    expect(vector.reduce((sum, value, j) => sum + value * expected[i]![j]!, 0)).toBeCloseTo(1, 5);
  }
  expect(await embedder.embed(texts, "passage")).toEqual(vectors);
  expect(embedder.statistics).toEqual({ hits: 150, misses: 150, damaged: 0 });
  await embedder.close!();
});

it("says what the server refuses: the key, the model", async () => {
  await expect(openEmbedder(`${server.url}v1`, { model: "builtin" })).rejects.toThrow(/answered 401.*is the key right/);
  const options = { model: "none", apiKeyVariable: "TESSERA_TEST_KEY" };
  await expect(openEmbedder(`${server.url}v1`, options)).rejects.toThrow(/answered 404/);
});
