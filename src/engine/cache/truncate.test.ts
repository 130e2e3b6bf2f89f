import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { goldenFamily } from "../../../test/support/golden-family.js";
import { Rng } from "../../base/rng.js";
import { Runtime } from "../../runtime/index.js";
import { PositionTables } from "../position-tables.js";
import { Runner, type Running } from "../runner.js";
import { stepGraph } from "../step-graph.js";
import { Weights } from "../weights.js";
import type { CachedSequence } from "./cache.js";
import { cachePolicies, pagedPolicy } from "./index.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
});
afterAll(() => runtime.close());

const CONTEXT = 48;
const PIECE = 8;

/** A sequence whose text may turn out otherwise. */
class Text implements Running {
  readonly variant = 0;
  constructor(
    readonly cached: CachedSequence,
    public ids: readonly number[],
  ) {}

  upcoming(count: number): readonly number[] {
    return this.ids.slice(this.cached.length, this.cached.length + count);
  }
}

const policies = [
  ...Object.values(cachePolicies).filter(({ noTruncation }) => noTruncation === undefined),
  pagedPolicy({ blockTokens: 3 }),
];

describe.each(policies)("a sequence in a $name cache", (policy) => {
  it.each(["llama", "gemma3_text", "gpt2"])(
    "that is cut back and goes on is as if it had gone so at once (%s)",
    async (family) => {
      const { model, parameters } = await goldenFamily(family);
      const weights = new Weights(model, parameters, "float32");
      const cache = policy.create(model, { contextLength: CONTEXT, maxSequences: 2, prefillTokens: PIECE });
      const program = await runtime.compile(stepGraph(model, weights, cache.attention));
      const runner = new Runner(model, weights, program, cache, new PositionTables(model, cache.numPositions));
      const rng = new Rng(3);
      const draw = (count: number): number[] => Array.from({ length: count }, () => rng.below(model.vocabSize));
      const run = async (text: Text, count: number): Promise<Float32Array[]> => {
        expect(text.cached.reserve(text.cached.length + count)).toBe(true);
        return (await runner.run([text], count, count)).map((row) => row.slice());
      };
      const text = draw(CONTEXT);
      const open = (ids: readonly number[]): Text => new Text(cache.open(ids, { variant: 0, reserveTokens: 0 })!, ids);
      const direct = open(text);
      const expected: Float32Array[] = [];
      while (direct.cached.length < CONTEXT) expected.push(...(await run(direct, 1)));
      const other = open([model.vocabSize - 1, 0]);
      let numForgotten = 0;
      while (other.cached.length < CONTEXT) {
        const start = other.cached.length;
        const count = 1 + rng.below(Math.min(PIECE, CONTEXT - start));
        const right = rng.below(count + 1);
        other.ids = [...text.slice(0, start + right), ...draw(count - right)];
        const rows = await run(other, count);
        for (let i = 0; i < right; i++) {
          // rows of other lengths are summed in another order
          for (const [j, logit] of rows[i]!.entries())
            expect(Math.abs(logit - expected[start + i]![j]!)).toBeLessThan(2e-4);
        }
        other.cached.truncate(start + right);
        numForgotten += count - right;
      }
      expect(numForgotten).toBeGreaterThan(10);
      direct.cached.close();
      other.cached.close();
      expect(cache.usage()).toMatchObject({ usedBlocks: 0 });
      runner.close();
    },
  );
});

it("refuses to bring back rows that a window has left behind", async () => {
  const { model, parameters } = await goldenFamily("gemma3_text");
  const cache = cachePolicies["sliding-window"].create(model, { contextLength: 48, maxSequences: 1, prefillTokens: 8 });
  const weights = new Weights(model, parameters, "float32");
  const program = await runtime.compile(stepGraph(model, weights, cache.attention));
  const runner = new Runner(model, weights, program, cache, new PositionTables(model, cache.numPositions));
  const text = new Text(
    cache.open([1, 2], { variant: 0, reserveTokens: 0 })!,
    Array.from({ length: 48 }, () => 1),
  );
  for (let i = 0; i < 5; i++) await runner.run([text], 8);
  text.cached.truncate(33);
  expect(text.cached.length).toBe(33);
  expect(() => text.cached.truncate(2)).toThrow("was to be cut to 2; compute the text anew");
  runner.close();
});
