/** @file How well a model under training answers held-out prompts, by metrics of what it writes. */

import { ConfigError } from "../../base/errors.js";
import {
  type Example,
  type ExampleBody,
  ExampleRenderer,
  OutputSchema,
  type RenderOptions,
} from "../../datasets/index.js";
import { type Constraint, choicesConstraint, jsonSchemaConstraint, TokenTrie, tokenBytes } from "../../engine/index.js";
import { type Metric, type MetricTask, metrics, type Writing } from "../../metrics/index.js";
import type { Tokenizer } from "../../tokenizers/index.js";
import type { TuneSettings } from "./tune-config.js";
import type { Writer } from "./writer.js";

/** Shares from 0 to 1 by name. */
export type Scores = Readonly<Record<string, number>>;

export interface ScoreEvent {
  /** Of the prompts as they are, or of the base with demonstrations. */
  readonly type: "scores" | "few-shot";
  readonly step: number;
  readonly scores: Scores;
}

interface ScoredPrompt {
  readonly ids: Int32Array;
  readonly expected: string;
}

/** Answers beyond these are texts, not choices. */
const MOST_CHOICES = 64;

/** Tokens that a text may be longer than the longest expected one. */
const SLACK = 16;

export class HeldOutScores {
  readonly #prompts: readonly ScoredPrompt[];
  readonly #numTokens: number;
  readonly #constraints: ReadonlyMap<Writing, Constraint>;

  private constructor(
    private readonly writer: Writer,
    private readonly metrics: readonly Metric[],
    private readonly task: MetricTask,
    scored: { prompts: readonly ScoredPrompt[]; numTokens: number; constraints: ReadonlyMap<Writing, Constraint> },
  ) {
    this.#prompts = scored.prompts;
    this.#numTokens = scored.numTokens;
    this.#constraints = scored.constraints;
  }

  /**
   * The metrics that settings name; undefined where they name none.
   * @throws ConfigError when no held-out example has an answer that fits the model, or answers are no choices.
   * @throws UnsupportedError naming keywords of the output schema that no constraint can follow.
   */
  static open(
    writer: Writer,
    { train, heldOut }: { readonly train: readonly Example[]; readonly heldOut: readonly Example[] },
    render: RenderOptions,
    settings: TuneSettings,
  ): HeldOutScores | undefined {
    const chosen: readonly Metric[] = settings.metrics.map((name) => metrics[name]);
    if (chosen.length === 0) return undefined;
    const { prompts, numTokens } = scoredPrompts(heldOut, render, writer.mostTokens, settings.scored);
    if (prompts.length === 0) {
      throw new ConfigError(
        `tuning: ${settings.metrics.join(", ")} need held-out examples with an answer that fits the ${writer.mostTokens} tokens of the model; hold out some (heldOut, validation), or leave out metrics`,
      );
    }
    const output = settings.outputSchema && new OutputSchema(settings.outputSchema);
    const writings = new Set(chosen.map(({ writing }) => writing));
    const constraints = new Map<Writing, Constraint>();
    if (output && writings.has("schema"))
      constraints.set("schema", jsonSchemaConstraint(output.json, trieOf(render.tokenizer)));
    if (writings.has("choices"))
      constraints.set("choices", choicesConstraint(choicesOf([...train, ...heldOut]), trieOf(render.tokenizer)));
    const task = output ? { parse: (text: string) => output.read(text).value, fields: output.fields } : {};
    return new HeldOutScores(writer, chosen, task, { prompts, numTokens, constraints });
  }

  get numPrompts(): number {
    return this.#prompts.length;
  }

  /** All metrics, with the parameters as they are after `step`. Texts of a way to write are written once. */
  async measure(step: number, type: ScoreEvent["type"] = "scores"): Promise<ScoreEvent> {
    const scores: Record<string, number> = {};
    for (const writing of ["free", "schema", "choices"] as const) {
      const own = this.metrics.filter((metric) => metric.writing === writing);
      if (own.length === 0) continue;
      const constraint = this.#constraints.get(writing);
      const texts = await this.writer.write(
        this.#prompts.map(({ ids }) => ids),
        { numTokens: this.#numTokens, ...(constraint && { constraint }) },
      );
      const pairs = this.#prompts.map(({ expected }, i) => ({ text: texts[i]!, expected }));
      for (const metric of own) Object.assign(scores, metric.score(pairs, this.task));
    }
    return { type, step, scores };
  }
}

const trieOf = (tokenizer: Tokenizer): TokenTrie => new TokenTrie(tokenBytes(tokenizer));

/** Prompts of so many examples, evenly taken from all, up to their last answer. */
function scoredPrompts(
  examples: readonly Example[],
  render: RenderOptions,
  mostTokens: number,
  count: number,
): { readonly prompts: readonly ScoredPrompt[]; readonly numTokens: number } {
  const renderer = new ExampleRenderer({ ...render, lossOn: "last" });
  const answered = examples.flatMap(({ body }) => {
    const expected = answerOf(body);
    return expected === undefined ? [] : [{ body, expected }];
  });
  const share = (i: number): number => Math.floor((i * count) / answered.length);
  const taken = answered.filter((_, i) => share(i) > share(i - 1));
  const rendered = taken.map(({ body, expected }) => {
    const { ids, targets } = renderer.render(body);
    const first = targets.indexOf(1, 1);
    return { ids: ids.slice(0, first), expected, length: ids.length, answer: targets.lastIndexOf(1) + 1 - first };
  });
  const fitting = rendered.filter(({ length }) => length <= mostTokens);
  const numTokens = SLACK + fitting.reduce((most, { answer }) => Math.max(most, answer), 0);
  return { prompts: fitting, numTokens };
}

/** What is learned last of an example; undefined where there is no prompt before it. */
function answerOf(body: ExampleBody): string | undefined {
  if (body.kind === "text") return undefined;
  if (body.kind === "completion") return body.completion;
  const last = body.messages.at(-1);
  return last?.role === "assistant" && typeof last.content === "string" ? last.content : undefined;
}

/** @throws ConfigError when the examples have too many different answers. */
function choicesOf(examples: readonly Example[]): string[] {
  const choices = new Set(examples.flatMap(({ body }) => answerOf(body) ?? []));
  if (choices.size <= MOST_CHOICES) return [...choices].filter((choice) => choice.trim() !== "");
  throw new ConfigError(
    `tuning: choice-accuracy is for at most ${MOST_CHOICES} different answers, the data have ${choices.size}; use exact-match or token-f1`,
  );
}
