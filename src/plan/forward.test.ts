import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyModel, tinyParameters } from "../../test/support/tiny-model.js";
import { exactLogits } from "../../test/support/whole-model.js";
import { modelFromConfig } from "../models/index.js";
import { initialize, parameterSpecs } from "../nn/index.js";
import { Runtime } from "../runtime/index.js";
import { forward } from "./forward.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
});
afterAll(() => runtime.close());

const model = tinyModel();
const parameters = tinyParameters(model);

/** Logits of one position. */
const at = (
  logits: { readonly data: ArrayLike<unknown>; readonly shape: readonly number[] },
  row: number,
  time: number,
) => Array.from({ length: 11 }, (_, i) => Number(logits.data[(row * logits.shape[1]! + time) * 11 + i]));

describe("forward", () => {
  it("gives the logits of each sequence, whatever padding surrounds it", async () => {
    const text = [3, 1, 4, 1, 5];
    const exact = exactLogits(model, parameters, text);
    const { logits } = await forward(runtime, model, parameters, {
      ids: [
        [0, 0, ...text],
        [...text, 0, 0],
        [0, ...text, 0],
      ],
      mask: [
        [0, 0, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1, 0, 0],
        [0, 1, 1, 1, 1, 1, 0],
      ],
    });
    for (const [row, start] of [2, 0, 1].entries()) {
      for (let i = 0; i < text.length; i++) {
        for (const [j, value] of at(logits, row, start + i).entries()) expect(value).toBeCloseTo(exact[i]![j]!, 4);
      }
    }
  });

  it("hands out hidden states on request only", async () => {
    const input = { ids: [[1, 2, 3]] };
    expect(Object.keys(await forward(runtime, model, parameters, input))).toEqual(["logits"]);
    const { hiddenStates } = await forward(runtime, model, parameters, input, { inner: true });
    expect(hiddenStates!.map(({ shape }) => `${shape}`)).toEqual(["1,3,16", "1,3,16", "1,3,16"]);
  });

  it("says what is wrong with a batch", async () => {
    const run = (input: Parameters<typeof forward>[3]) => forward(runtime, model, parameters, input);
    await expect(run({ ids: [] })).rejects.toThrow(/at least one sequence/);
    await expect(run({ ids: [[1, 2], [1]] })).rejects.toThrow(/lengths \[2,1\].*pad them/);
    await expect(run({ ids: [[1, 2]], mask: [[1]] })).rejects.toThrow(/masks of \[1\]/);
    await expect(run({ ids: [[1, 2]], mask: [[1, 2]] })).rejects.toThrow(/1 for tokens and 0/);
    await expect(run({ ids: [[1, 11]] })).rejects.toThrow(/11 is outside the vocabulary of 11/);
    const gpt2 = modelFromConfig({
      model_type: "gpt2",
      vocab_size: 5,
      n_embd: 8,
      n_layer: 1,
      n_head: 2,
      n_positions: 2,
    });
    const own = initialize(parameterSpecs(gpt2), 1);
    await expect(forward(runtime, gpt2, own, { ids: [[1, 2, 3]] })).rejects.toThrow(/learned 2 positions/);
    own.delete("transformer.ln_f.bias");
    await expect(forward(runtime, gpt2, own, { ids: [[1]] })).rejects.toThrow(/"transformer.ln_f.bias" is missing/);
  });
});
