import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Runtime } from "../runtime/index.js";
import { embedTexts, loadEncoder } from "./load-encoder.js";

const golden = fileURLToPath(new URL("../../test/golden/encoders/bert", import.meta.url));

let folder: string;
let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
  folder = await mkdtemp(join(tmpdir(), "tessera-encoder-"));
  await cp(golden, folder, { recursive: true });
  const words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ..."abcdefghijklmnopqrstuvwxyz", "##s"];
  await writeFile(join(folder, "vocab.txt"), `${words.join("\n")}\n`);
});
afterAll(async () => {
  await runtime.close();
  await rm(folder, { recursive: true });
});

const cosine = (a: Float32Array, b: Float32Array): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);

it("gives a text the same vector alone and in a batch of others, in the order given", async () => {
  const loaded = await loadEncoder(folder);
  const texts = ["a b c d e f g", "h", "a b", "z y x w"];
  const together = await embedTexts(runtime, loaded, texts, { batchSize: 3 });
  for (const [i, text] of texts.entries()) {
    const [alone] = await embedTexts(runtime, loaded, [text]);
    expect(cosine(alone!, together[i]!)).toBeCloseTo(1, 5);
  }
  expect(cosine(together[0]!, together[3]!)).toBeLessThan(0.9999);
});

it("pools as modules.json says, and says which texts it cut", async () => {
  const mean = await loadEncoder(folder);
  expect(mean.pooling).toEqual({ modes: ["mean"], isNormalized: true });
  const modules = [
    { idx: 0, name: "0", path: "", type: "sentence_transformers.models.Transformer" },
    { idx: 1, name: "1", path: "1_Pooling", type: "sentence_transformers.models.Pooling" },
  ];
  await writeFile(join(folder, "modules.json"), JSON.stringify(modules));
  await mkdir(join(folder, "1_Pooling"));
  const pooling = {
    word_embedding_dimension: mean.encoder.hiddenSize,
    pooling_mode_cls_token: true,
    pooling_mode_mean_tokens: false,
  };
  await writeFile(join(folder, "1_Pooling", "config.json"), JSON.stringify(pooling));
  const loaded = await loadEncoder(folder);
  expect(loaded.pooling).toEqual({ modes: ["cls"], isNormalized: false });
  const cut: [number, number][] = [];
  const long = "a ".repeat(loaded.encoder.maxPositions);
  await embedTexts(runtime, loaded, ["b", long], { onCut: (index, count) => cut.push([index, count]) });
  expect(cut).toEqual([[1, loaded.encoder.maxPositions]]);
});

it("refuses a module outside the folder", async () => {
  await writeFile(join(folder, "modules.json"), JSON.stringify([{ path: "../elsewhere", type: "x.Transformer" }]));
  await expect(loadEncoder(folder)).rejects.toThrow("is no folder of this model");
});
