import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { storySentences } from "../../test/support/story-sentences.js";
import { ConfigError, DataError } from "../base/errors.js";
import { Rng } from "../base/rng.js";
import { forward } from "../plan/index.js";
import { loadModel } from "../presets/index.js";
import { Runtime } from "../runtime/index.js";
import {
  Bm25Similarity,
  byEntropy,
  bySimilarity,
  type Demonstration,
  promptFormats,
  readPrompt,
  type Selection,
  searchFormats,
  selections,
  VectorSimilarity,
  writePrompt,
} from "./index.js";

const rng = (): Rng => new Rng(1);

describe("selections", () => {
  it.each(Object.entries<Selection>(selections))(
    "%s takes as many as are asked for, each once, none that is refused",
    (_, { select }) => {
      const similarity = new Bm25Similarity(["red sky", "red sea", "a dog", "blue sea", "red sea"]);
      for (const count of [0, 2, 9]) {
        const chosen = select({ similarity, question: "red sea", count, accepts: (i) => i !== 1, rng: rng() });
        expect(chosen).toHaveLength(Math.min(count, 4));
        expect(new Set(chosen).size).toBe(chosen.length);
        expect(chosen).not.toContain(1);
      }
    },
  );

  it("by nearness, by nearness without repetition, and by what stands for most", () => {
    const at = (...degrees: number[]) =>
      degrees.map((angle) => [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)]);
    const request = {
      similarity: new VectorSimilarity(at(0, 1, -45, -160)),
      question: at(-15)[0]!,
      count: 2,
      rng: rng(),
    };
    expect(selections.knn.select(request)).toEqual([0, 1]);
    // the second is the first once more
    expect(selections.mmr.select(request)).toEqual([0, 2]);
    // whom all that have anything in common vote for, then one for whom others do
    const crowds = new Bm25Similarity(["sea and ship", "red sea", "blue ship", "dog", "a dog and a cat", "grey cat"]);
    expect(selections["vote-k"].select({ ...request, similarity: crowds, question: "" }).toSorted()).toEqual([0, 4]);
  });

  it("refuse vectors of several lengths", () => {
    expect(() => new VectorSimilarity([[1, 2], [1]])).toThrow(ConfigError);
    expect(() => new VectorSimilarity([[1, 2]]).toQuestion([1])).toThrow("expected vectors of 2 numbers");
  });
});

describe("orders", () => {
  it("put the nearest last", () => {
    expect(bySimilarity([4, 0, 2], [0.9, 0, 0.1, 0, 0.5])).toEqual([2, 4, 0]);
  });

  it("find the one under which answers are least one-sided", async () => {
    // answers lean to the last demonstration's label, but for "even" ones
    const score = async (order: readonly string[], probe: number): Promise<number[]> => {
      const lean = order.at(-1) === "even" ? probe % 2 : order.at(-1) === "a" ? 0 : 1;
      return lean === 0 ? [0.9, 0.1] : [0.1, 0.9];
    };
    const options = { probes: [0, 1, 2, 3], score, rng: rng() };
    const { order, entropy } = await byEntropy(["a", "even", "b"], options);
    expect(order.at(-1)).toBe("even");
    expect(entropy).toBeCloseTo(Math.log(2), 12);
    const local = await byEntropy(["a", "b"], {
      ...options,
      entropy: "local",
      score: async ([first]) => (first === "b" ? [0.5, 0.5] : [1, 0]),
    });
    expect(local).toEqual({ order: ["b", "a"], entropy: Math.log(2) });
    let tried = 0;
    const counted = async () => [++tried, 0];
    await byEntropy([1, 2, 3, 4], { probes: options.probes, rng: rng(), maxOrders: 5, score: counted });
    expect(tried).toBe(5 * 4);
    await expect(byEntropy(["a"], { ...options, probes: [] })).rejects.toThrow("no probes");
  });
});

describe("formats", () => {
  const demonstrations: Demonstration[] = [
    { input: "1 + 1", output: "2" },
    { input: "2 + 2", output: "4" },
  ];

  it.each(promptFormats)("$name is read back as it was written", (format) => {
    for (const shown of [[], demonstrations]) {
      const prompt = writePrompt(format, shown, "3 + 3");
      expect(readPrompt(format, prompt)).toEqual({ demonstrations: shown, input: "3 + 3" });
    }
    expect(() => writePrompt(format, [], `a${format.output}b`)).toThrow(DataError);
    expect(() => readPrompt(format, "nothing")).toThrow(DataError);
  });

  it("are searched for the best on a development set", async () => {
    const ranked = await searchFormats(promptFormats, async ({ name }) => (name === "arrow" ? 0.7 : 0.2));
    expect(ranked.map(({ score }) => score)).toEqual([0.7, 0.2, 0.2, 0.2, 0.2, 0.2]);
    expect(ranked[0]!.format.name).toBe("arrow");
    expect(ranked[1]!.format.name).toBe("question-answer");
    await expect(searchFormats([], async () => 0)).rejects.toThrow("no format");
  });
});

const stories = fileURLToPath(new URL("../../../shared/data/llm-stories260k/stories260K.bin", import.meta.url));

describe.skipIf(!existsSync(stories))("real sentences and a real model (need ../shared/data)", () => {
  const halves = (sentence: string): Demonstration => {
    const cut = sentence.indexOf(" ", sentence.length / 2);
    return { input: sentence.slice(0, cut), output: sentence.slice(cut + 1) };
  };

  /** Mean loss of how sentences go on, after three whole ones, in nats per token. */
  async function answerLoss(runtime: Runtime, name: "knn" | "mmr" | "random"): Promise<number> {
    const loaded = await loadModel(stories);
    const all = storySentences()
      .map(({ sentence }) => sentence)
      .filter((sentence) => sentence.includes(" ", sentence.length / 2));
    const dev = all.filter((_, i) => i % 12 === 0);
    const pool = all.filter((_, i) => i % 12 !== 0);
    const similarity = new Bm25Similarity(pool);
    const format = promptFormats.find((one) => one.name === "lines")!;
    const draws = rng();
    let [sum, count] = [0, 0];
    for (const { input, output } of dev.map(halves)) {
      const chosen = selections[name].select({ similarity, question: input, count: 3, rng: draws });
      const shown = bySimilarity(chosen, similarity.toQuestion(input)).map((i) => halves(pool[i]!));
      const prompt = loaded.tokenizer.encode(writePrompt(format, shown, input));
      const ids = [1, ...prompt, ...loaded.tokenizer.encode(output)];
      const { logits } = await forward(runtime, loaded.model, loaded.parameters, { ids: [ids] });
      const size = loaded.model.vocabSize;
      count += ids.length - prompt.length - 1;
      for (let at = prompt.length + 1; at < ids.length; at++) {
        const row = (logits.data as Float32Array).subarray((at - 1) * size, at * size);
        const most = Math.max(...row);
        sum += most + Math.log(row.reduce((total, value) => total + Math.exp(value - most), 0)) - row[ids[at]!]!;
      }
    }
    return sum / count;
  }

  it("demonstrations near the question make its answer likelier than any others", async () => {
    await using runtime = await Runtime.open({ numThreads: 2 });
    const [near, any] = [await answerLoss(runtime, "knn"), await answerLoss(runtime, "random")];
    // 2.59 and 2.67 nats per token
    expect(near).toBeLessThan(0.985 * any);
  }, 60_000);
});
