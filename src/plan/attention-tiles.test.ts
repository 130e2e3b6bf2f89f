import { expect, it } from "vitest";
import { tinyModel } from "../../test/support/tiny-model.js";
import { Runtime } from "../runtime/index.js";
import { type AttentionTiles, fastestTiles } from "./attention-tiles.js";
import { describeTraining } from "./describe.js";

const described = (isTrainable: boolean) =>
  describeTraining(tinyModel({ max_position_embeddings: 128 }), {
    batchSize: 1,
    time: 128,
    packed: true,
    attentionTile: 256,
    lossTile: { rows: 64, vocabulary: 11 },
    save: "inputs",
    isTrainable: () => isTrainable,
    streamGradients: false,
  });

it("takes tiles that are clearly faster: not a few queries at a time", async () => {
  await using runtime = await Runtime.open({ numThreads: 1 });
  const candidates: AttentionTiles[] = [
    { attentionTile: 8, keyTile: 8 },
    { attentionTile: 128, keyTile: 128 },
  ];
  expect(await fastestTiles(runtime, described(true), candidates)).toEqual(candidates[1]);
});

it("keeps to the usual ones where nothing is trained", async () => {
  await using runtime = await Runtime.open({ numThreads: 1 });
  const only = [{ attentionTile: 64, keyTile: 64 }];
  expect(await fastestTiles(runtime, described(false), only)).toEqual({ attentionTile: 256, keyTile: 512 });
});
