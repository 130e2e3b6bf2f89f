import { describe, expect, it } from "vitest";
import { sentenceModules } from "./sentence-transformers.js";

const transformer = { idx: 0, name: "0", path: "", type: "sentence_transformers.models.Transformer" };
const pooling = { idx: 1, name: "1", path: "1_Pooling", type: "sentence_transformers.models.Pooling" };
const normalize = { idx: 2, name: "2", path: "2_Normalize", type: "sentence_transformers.models.Normalize" };
const mean = { word_embedding_dimension: 384, pooling_mode_cls_token: false, pooling_mode_mean_tokens: true };

describe("sentenceModules", () => {
  it("reads MiniLM's (mean, normalised), BGE's (cls) and one that has no normalisation", () => {
    expect(sentenceModules([transformer, pooling, normalize], { "1_Pooling": mean })).toEqual({
      encoderPath: "",
      pooling: { modes: ["mean"], isNormalized: true },
    });
    const cls = { pooling_mode_cls_token: true, pooling_mode_mean_tokens: false, include_prompt: true };
    expect(sentenceModules([transformer, pooling], { "1_Pooling": cls }).pooling).toEqual({
      modes: ["cls"],
      isNormalized: false,
    });
  });

  it("keeps the order of several modes, and reads them by name too", () => {
    const both = { pooling_mode_mean_tokens: true, pooling_mode_max_tokens: true };
    expect(sentenceModules([transformer, pooling], { "1_Pooling": both }).pooling.modes).toEqual(["max", "mean"]);
    const named = { pooling_mode: "lasttoken" };
    expect(sentenceModules([transformer, pooling], { "1_Pooling": named }).pooling.modes).toEqual(["lasttoken"]);
  });

  it("refuses what it would not compute", () => {
    const dense = { idx: 2, name: "2", path: "2_Dense", type: "sentence_transformers.models.Dense" };
    expect(() => sentenceModules([transformer, pooling, dense], { "1_Pooling": mean })).toThrow("Dense (2_Dense)");
    expect(() => sentenceModules([pooling, transformer], { "1_Pooling": mean })).toThrow("got Pooling, Transformer");
    expect(() => sentenceModules([transformer, pooling], {})).toThrow("1_Pooling/config.json");
    expect(() => sentenceModules([transformer, pooling], { "1_Pooling": {} })).toThrow("no pooling mode");
    const weighted = { pooling_mode_weightedmean_tokens: true };
    expect(() => sentenceModules([transformer, pooling], { "1_Pooling": weighted })).toThrow("weightedmean");
    const unprompted = { ...mean, include_prompt: false };
    expect(() => sentenceModules([transformer, pooling], { "1_Pooling": unprompted })).toThrow("include_prompt");
    expect(() => sentenceModules("x", {})).toThrow("modules.json");
  });
});
