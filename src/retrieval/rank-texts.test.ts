import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Rng } from "../base/rng.js";
import { rankByCentroid, rankTexts } from "./rank-texts.js";
import { sqlite } from "./stores/sqlite.js";

const words = "tile row wall floor lay cut paint stone water light door 瓷砖 铺在地上".split(" ");

it("ranks as the index does, to the last bit", async () => {
  const rng = new Rng(2);
  const texts = Array.from({ length: 60 }, () =>
    Array.from({ length: 1 + rng.below(20) }, () => words[rng.below(words.length)]).join(" "),
  );
  const folder = await mkdtemp(join(tmpdir(), "tessera-rank-"));
  const store = await sqlite.open(folder);
  const chunks = texts.map((text, i) => ({
    ...{ id: String(i), text, start: 0, end: text.length, numTokens: 1, headingPath: [] },
  }));
  await store.replace([{ path: "", hash: "h", chunks }]);
  for (const question of ["How do I lay a tile?", "water 瓷砖", "stone stone light"]) {
    const hits = await store.query({ text: question, limit: 60 });
    const expected = new Map(hits.map(({ chunk, score }) => [Number(chunk.id), score]));
    const ranked = rankTexts(question, texts);
    expect(ranked.length).toBe(expected.size);
    for (const { key, score } of ranked) expect(score).toBe(expected.get(key));
    expect(ranked.map(({ score }) => score)).toEqual(ranked.map(({ score }) => score).sort((a, b) => b - a));
  }
  await store.close();
  await rm(folder, { recursive: true });
});

it("puts first what is about what most texts are about", () => {
  const texts = ["tiles on the wall", "tiles on the floor", "a boat", "tiles on the wall and the floor"];
  expect(rankByCentroid(texts)[0]!.key).toBe(3);
  expect(rankTexts("of the", [])).toEqual([]);
  expect(rankTexts("boat", texts).map(({ key }) => key)).toEqual([2]);
});
