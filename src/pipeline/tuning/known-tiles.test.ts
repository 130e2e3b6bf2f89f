import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { tinyModel } from "../../../test/support/tiny-model.js";
import { describeTraining } from "../../plan/index.js";
import { tilesHere } from "./known-tiles.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-tiles-"));
});
afterAll(() => rm(folder, { recursive: true }));

const described = (hiddenSize: number) =>
  describeTraining(tinyModel({ hidden_size: hiddenSize }), {
    batchSize: 1,
    time: 64,
    packed: false,
    attentionTile: 64,
    lossTile: { rows: 64, vocabulary: 11 },
    save: "inputs",
    isTrainable: () => true,
    streamGradients: false,
  });

it("times a layer once, and takes what the file says afterwards", async () => {
  const path = join(folder, "cache", "attention-tiles.json");
  const measured = await tilesHere(described(16), 1, path);
  const [key, ...others] = Object.keys(JSON.parse(await readFile(path, "utf8")));
  expect(key).toContain("1 threads");
  expect(others).toEqual([]);
  const said = { attentionTile: 3, keyTile: 5 };
  expect(measured).not.toEqual(said);
  await writeFile(path, JSON.stringify({ [key!]: said }));
  expect(await tilesHere(described(16), 1, path)).toEqual(said);
  expect(await tilesHere(described(32), 1, path)).not.toEqual(said);
  expect(Object.keys(JSON.parse(await readFile(path, "utf8")))).toHaveLength(2);
});

it("makes a damaged file anew, and works where none can be written", async () => {
  const damaged = join(folder, "damaged.json");
  await writeFile(damaged, "{");
  const tiles = await tilesHere(described(16), 1, damaged);
  expect(Object.values(JSON.parse(await readFile(damaged, "utf8")))).toEqual([tiles]);
  expect(await tilesHere(described(16), 1, join(damaged, "below-a-file.json"))).toHaveProperty("keyTile");
});
