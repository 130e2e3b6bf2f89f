import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { builtinFolder, type Embedder, openEmbedder } from "./index.js";

const passages = [
  "Plugins are registered with a function that takes the server and its options. They may declare routes and hooks.",
  "The quarterly report shows that revenue from subscriptions rose while the cost of storage fell.",
  "To restore a backup, stop the cluster, download the snapshot and start the nodes one after another.",
  "事务提交时，协调者先向所有参与者发送准备请求，全部成功后才写入提交记录。",
  "数组的 map 方法对每个成员调用一个函数，返回由结果组成的新数组。",
];

async function nearest(embedder: Embedder, question: string): Promise<number> {
  const [query] = await embedder.embed([question], "query");
  const vectors = await embedder.embed(passages, "passage");
  const scores = vectors.map((vector) => vector.reduce((sum, value, j) => sum + value * query![j]!, 0));
  return scores.indexOf(Math.max(...scores));
}

it("finds passages in English and Chinese, without a download", async () => {
  const embedder = await openEmbedder("builtin");
  expect(embedder.dimension).toBe(512);
  expect(embedder.model).toMatch(/^builtin@[0-9a-f]{12}$/);
  expect(await nearest(embedder, "How do I add a plugin?")).toBe(0);
  expect(await nearest(embedder, "recover data from a snapshot")).toBe(2);
  expect(await nearest(embedder, "两阶段提交是怎样进行的？")).toBe(3);
  expect(await nearest(embedder, "怎么对数组的每个元素执行函数")).toBe(4);
  for (const vector of await embedder.embed([...passages, "", "☃"], "passage")) {
    expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
  }
  await expect(openEmbedder("builtin", { model: "x" })).rejects.toThrow("has no option model");
});

it("is below 12 MB, with a card that names the licences of its texts", async () => {
  const files = await readdir(builtinFolder(), { recursive: true });
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(builtinFolder(), file))).size));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(12e6);
  const card = await readFile(join(builtinFolder(), "README.md"), "utf8");
  expect(card.match(/^\| \[[\w.-]+\/[\w.-]+\]\(https:/gm)).toHaveLength(24);
});
