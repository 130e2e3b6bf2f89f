import { describe, expect, it } from "vitest";
import { CheckpointError } from "../base/errors.js";
import { generationConfigOf } from "./generation-config.js";

const read = (value: unknown) => {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return generationConfigOf(new Map([["generation_config.json", new TextEncoder().encode(text)]]));
};

describe("generation_config.json", () => {
  it("gives what it says, as Qwen 2.5's and Llama 3.1's do", () => {
    const sampling = { do_sample: true, temperature: 0.7, top_p: 0.8, top_k: 20, repetition_penalty: 1.05 };
    expect(read({ ...sampling, eos_token_id: [151645, 151643], pad_token_id: 151643, bos_token_id: 151643 })).toEqual({
      sampling: { temperature: 0.7, topP: 0.8, topK: 20, repetitionPenalty: 1.05 },
      endIds: [151645, 151643],
      unfollowed: [],
    });
    const plain = { _from_model_config: true, bos_token_id: 1, eos_token_id: 2, transformers_version: "4.37.0" };
    expect(read(plain)).toEqual({ sampling: {}, endIds: [2], unfollowed: [] });
    expect(generationConfigOf(new Map())).toEqual({ sampling: {}, endIds: [], unfollowed: [] });
  });

  it("is greedy where it does not sample, and leaves out what is off", () => {
    expect(read({ do_sample: false, temperature: 0.9, top_k: 0, min_p: 0.1 }).sampling).toEqual({
      temperature: 0,
      minP: 0.1,
    });
    expect(read({ temperature: null, eos_token_id: null }).sampling).toEqual({});
  });

  it("says which settings are not followed", () => {
    const others = { num_beams: 4, typical_p: 1, no_repeat_ngram_size: 3, max_new_tokens: 2048, early_stopping: false };
    expect(read({ ...others, suppress_tokens: [], stop_strings: ["x"] }).unfollowed).toEqual([
      "num_beams",
      "no_repeat_ngram_size",
      "stop_strings",
    ]);
  });

  it.each([
    ["{", "expected JSON"],
    ["[]", "top level"],
    [{ temperature: "hot" }, "temperature"],
    [{ temperature: -1 }, "temperature"],
    [{ top_p: 1.5 }, "top_p"],
    [{ top_k: 2.5 }, "top_k"],
    [{ repetition_penalty: 0 }, "repetition_penalty"],
    [{ eos_token_id: "</s>" }, "eos_token_id: expected a token id or a list of them"],
    ['{"top_k": 1, "top_k": 2}', "twice"],
  ])("refuses %j", (value, message) => {
    expect(() => read(value)).toThrow(CheckpointError);
    expect(() => read(value)).toThrow(message);
    expect(() => read(value)).toThrow("generation_config.json: ");
  });
});
