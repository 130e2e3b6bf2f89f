/** @file The 260,032-parameter model of llama2.c, stories it was made for, and its loss on given text through an engine. */

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Constraint, type ConstraintState, type Engine, TokenMask } from "../../src/engine/index.js";
import { type LoadedModel, loadModel } from "../../src/presets/index.js";

const data = (path: string): string => fileURLToPath(new URL(`../../../shared/data/${path}`, import.meta.url));
const modelPath = data("llm-stories260k/stories260K.bin");
const textPath = data("data-tinystories/tinystories.txt");

/** Whether model and text are there. */
export const hasStories = existsSync(modelPath) && existsSync(textPath);

export const storyModel = (): Promise<LoadedModel> => loadModel(modelPath);

/** Ids of each story, its start token first. Gaps between paragraphs are one line break, as the model knows them. */
export function stories({ tokenizer }: LoadedModel): number[][] {
  const texts = readFileSync(textPath, "utf8").split(/\n\n(?=Once upon a time)/);
  return texts.map((text) => {
    return [...tokenizer.template.prefix, ...tokenizer.encode(text.trim().replaceAll(/\n\n+/g, "\n"))];
  });
}

/** Allows one text alone, so that an engine computes its probabilities token by token as it would generate it. */
class GivenText implements Constraint {
  readonly #masks = new Map<number, TokenMask>();

  constructor(
    readonly vocabSize: number,
    private readonly ids: readonly number[],
  ) {}

  start(): ConstraintState {
    return this.#after(0);
  }

  #after(count: number): ConstraintState {
    const isFinal = count === this.ids.length;
    return {
      isFinal,
      allowed: () => (isFinal ? new TokenMask(this.vocabSize) : this.#only(this.ids[count]!)),
      next: (id) => (id === this.ids[count] ? this.#after(count + 1) : undefined),
    };
  }

  #only(id: number): TokenMask {
    const mask = this.#masks.get(id) ?? new TokenMask(this.vocabSize);
    if (mask.count === 0) mask.add(id);
    this.#masks.set(id, mask);
    return mask;
  }
}

/** A token of a text as a model saw it. */
export interface Scored {
  readonly logprob: number;
  /** The token that the model held most likely. */
  readonly likeliest: number;
}

/** Every token of a text after its first, in order. */
export async function* scored(engine: Engine, vocabSize: number, ids: readonly number[]): AsyncGenerator<Scored> {
  const constraint = new GivenText(vocabSize, ids.slice(1));
  const options = { constraint, logprobs: 1, maxTokens: ids.length - 1 };
  for await (const { logprobs } of engine.generate(ids.slice(0, 1), options)) {
    yield { logprob: logprobs!.logprob, likeliest: logprobs!.top[0]!.id };
  }
}

export const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
