import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyModel, tinyParameters } from "../../test/support/tiny-model.js";
import type { HostTensor } from "../base/host-tensor.js";
import { frozenWeights, packFrozen, unpackFrozen } from "../compress/index.js";
import { parameterSpecs } from "../nn/index.js";
import { createAdapter, type MethodName, tuningOf, withVirtualTokens } from "../peft/index.js";
import { forward } from "../plan/index.js";
import { Runtime } from "../runtime/index.js";
import { Engine } from "./engine.js";
import { LiveWeights } from "./live-weights.js";
import { Weights } from "./weights.js";

const base = tinyModel({ hidden_size: 64, intermediate_size: 64, vocab_size: 96 });
let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
});
afterAll(() => runtime.close());

async function written(engine: Engine, prompt: ArrayLike<number>): Promise<number[]> {
  const ids: number[] = [];
  for await (const { id } of engine.generate(prompt, { maxTokens: 8 })) ids.push(id);
  return ids;
}

describe("live weights", () => {
  it("write what compiled weights write, and what has changed counts at once", async () => {
    const parameters = tinyParameters(base);
    await using live = await Engine.create(runtime, base, new LiveWeights(base, parameters));
    const before = await written(live, [1, 2, 3]);
    await using compiled = await Engine.create(runtime, base, new Weights(base, parameters, "float32"));
    expect(before).toEqual(await written(compiled, [1, 2, 3]));
    for (const [name, { data }] of tinyParameters(base, 2))
      (parameters.get(name)!.data as Float32Array).set(data as Float32Array);
    await using changed = await Engine.create(runtime, base, new Weights(base, tinyParameters(base, 2), "float32"));
    const after = await written(await Engine.create(runtime, base, new LiveWeights(base, parameters)), [1, 2, 3]);
    expect(after).toEqual(await written(changed, [1, 2, 3]));
    expect(after).not.toEqual(before);
  });

  it("read frozen weights in their packed form", async () => {
    const packed = packFrozen(
      tinyParameters(base),
      frozenWeights(base, () => false, "nf4"),
    );
    const whole = unpackFrozen(parameterSpecs(base), packed);
    await using live = await Engine.create(runtime, base, new LiveWeights(base, packed));
    await using compiled = await Engine.create(runtime, base, new Weights(base, whole, "float32"));
    expect(await written(live, [5, 6])).toEqual(await written(compiled, [5, 6]));
    expect(new LiveWeights(base, packed).bytesPerToken).toBeLessThan(new LiveWeights(base, whole).bytesPerToken / 2);
  });

  it.each(["lora", "dora", "longlora", "prompt", "prefix"] as const)(
    "write with what %s adds",
    async (method: MethodName) => {
      const { model, numVirtualTokens, start } = tuningOf(base, createAdapter(base, { method }));
      const parameters = new Map<string, HostTensor>([
        ...tinyParameters(base),
        ...start(tinyParameters(base), { seed: 1 }),
      ]);
      // B of low rank starts at nothing
      for (const [name, { data }] of parameters) if (name.includes("lora_B")) (data as Float32Array).fill(0.05);
      await using engine = await Engine.create(runtime, model, new LiveWeights(model, parameters));
      const prompt = [...withVirtualTokens({ numVirtualTokens }, [7, 8, 9])];
      const ids: number[] = [];
      for (let i = 0; i < 8; i++) {
        const { logits } = await forward(runtime, model, parameters, { ids: [[...prompt, ...ids]] });
        const row = (logits.data as Float32Array).subarray(-base.vocabSize);
        ids.push(row.indexOf(Math.max(...row)));
      }
      expect(await written(engine, prompt)).toEqual(ids);
    },
  );
});
