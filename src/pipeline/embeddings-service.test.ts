import { expect, it } from "vitest";
import { sharedRuntime } from "../../test/support/golden.js";
import { randomModel } from "../../test/support/served-model.js";
import { builtinFolder, openEmbedder, readStaticModel } from "../embed/index.js";
import { openTextService } from "./text-service.js";

const runtime = sharedRuntime();

it("serves a static model's embeddings beside a model that writes", async () => {
  const { model } = await readStaticModel(builtinFolder());
  const options = { id: "tiny", embeddings: { id: "builtin", loaded: model } };
  await using service = await openTextService(runtime(), randomModel({ contextLength: 64 }), options);
  expect(service.models().map(({ id }) => id)).toEqual(["tiny", "builtin"]);
  const texts = ["How are plugins loaded?", "插件是怎样加载的？", "word ".repeat(5000)];
  const { signal } = new AbortController();
  const { vectors, numTokens } = await service.embed!({ model: "builtin", texts, signal });
  const embedder = await openEmbedder("builtin");
  expect(vectors).toEqual(await embedder.embed(texts, "passage"));
  expect(numTokens).toBeGreaterThan(5000);
  await expect(service.embed!({ model: "tiny", texts, signal })).rejects.toThrow("embeddings come from builtin");
});
