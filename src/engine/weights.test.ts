import { describe, expect, it } from "vitest";
import { tinyModel, tinyParameters } from "../../test/support/tiny-model.js";
import type { HostTensor } from "../base/host-tensor.js";
import { Weights } from "./weights.js";

const sizes = { hidden_size: 64, intermediate_size: 64, vocab_size: 96 };

/** Bytes of a packed matrix: levels, and a float32 scale for each 32. */
const packedBytes = (count: number, bits: number): number => (count * bits) / 8 + (count / 32) * 4;

describe("weights for serving", () => {
  it.each(["float32", "int8", "int4"] as const)("are the same streamed as made at once (%s)", async (format) => {
    const model = tinyModel(sizes);
    const parameters = tinyParameters(model);
    const handedOut: string[] = [];
    async function* source(): AsyncGenerator<readonly [string, HostTensor]> {
      for (const entry of parameters) {
        handedOut.push(entry[0]);
        yield entry;
      }
    }
    const [streamed, whole] = [await Weights.pack(model, source(), format), new Weights(model, parameters, format)];
    expect(handedOut).toEqual([...parameters.keys()]);
    expect(streamed.bytes).toBe(whole.bytes);
    expect(streamed.unpacked()).toEqual(whole.unpacked());
  });

  it.each([
    ["int8", 8],
    ["int4", 4],
  ] as const)("pack an embedding that is also the head once, and the head too (%s)", (format, bits) => {
    const made = [true, false].map((tie_word_embeddings) => {
      const model = tinyModel({ ...sizes, tie_word_embeddings });
      const parameters = tinyParameters(model);
      const dense = [...parameters.values()].filter(({ shape }) => shape.length === 1);
      const matrices = [...parameters].filter(
        ([name, { shape }]) => shape.length === 2 && !/embed_tokens|lm_head/.test(name),
      );
      const rest =
        dense.reduce((sum, { data }) => sum + data.byteLength, 0) +
        matrices.reduce((sum, [, { data }]) => sum + packedBytes(data.length, bits), 0);
      return new Weights(model, parameters, format).bytes - rest;
    });
    const table = sizes.vocab_size * sizes.hidden_size;
    // rows that are only looked up keep 8 bits
    expect(made).toEqual([packedBytes(table, bits), packedBytes(table, bits) + packedBytes(table, 8)]);
  });

  it("look up the rows that the packed embedding stands for", () => {
    const model = tinyModel({ ...sizes, tie_word_embeddings: false });
    const parameters = tinyParameters(model);
    const weights = new Weights(model, parameters, "int4");
    const [out, name] = [new Float32Array(2 * 64), model.embedding.name];
    weights.embed([95, 3], out);
    const table = weights.unpacked().get(name)!.data;
    expect([...out]).toEqual([...table.slice(95 * 64, 96 * 64), ...table.slice(3 * 64, 4 * 64)]);
    const exact = parameters.get(name)!.data;
    const largest = Math.max(...[...exact].map((value) => Math.abs(Number(value))));
    for (const [i, value] of [...table].entries())
      expect(Math.abs(Number(value) - Number(exact[i]))).toBeLessThan(largest / 250);
  });
});
