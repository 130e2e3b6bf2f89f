/** @file A training step as one graph: forward, backward, clipping and optimiser, for programs that know nothing of Tessera. */

import type { DType } from "../base/dtype.js";
import { ConfigError, UnsupportedError } from "../base/errors.js";
import { type HostTensor, hostTensor, sizeOf } from "../base/host-tensor.js";
import { deriveSeed } from "../base/rng.js";
import {
  type Aval,
  after,
  broadcastTo,
  cast,
  concat,
  div,
  evaluateShape,
  type Graph,
  graph,
  minimum,
  reduceSum,
  reshape,
  type SavePolicy,
  scalar,
  sqrt,
  type Tensor,
} from "../graph/index.js";
import { checkLength, type LanguageModel, type ParameterSpec, parameterSpecs } from "../nn/index.js";
import { describeTraining, type MicroBatch, type SequenceShape, wholeGradient, wholeLoss } from "../plan/index.js";
import type { Feeds } from "../runtime/index.js";
import { sumOfSquares } from "./gradient-norm.js";
import type { ElementwiseRule, OptimizerRule } from "./optim/index.js";

export interface StepGraphOptions extends SequenceShape {
  readonly isTrainable: (name: string) => boolean;
  /** An elementwise rule: adamw, lion, sgd. */
  readonly optimizer: OptimizerRule;
  /** Of matrices; vectors are not decayed. */
  readonly weightDecay: number;
  /** Gradients longer than this are scaled down to it; null leaves them. */
  readonly clipNorm: number | null;
  /** What each layer keeps for its backward pass. */
  readonly save: SavePolicy;
  /** Positions whose logits over the whole vocabulary exist at once. */
  readonly lossRows: number;
}

/** Prefix of the outputs that the next step reads as the inputs named after it. */
export const NEXT = "next.";

/** A batch under the names of a graph's inputs, of those that it has. */
export function batchFeeds(inputs: Readonly<Record<string, Aval>>, batch: MicroBatch): Feeds {
  const shape = evaluateShape(inputs.ids!.shape, {});
  const ints = (values: Int32Array): HostTensor =>
    hostTensor(
      "int64",
      shape,
      BigInt64Array.from(values, (value) => BigInt(value)),
    );
  const numLayers = Number(inputs.seeds?.shape[0] ?? 0);
  const seeds = Int32Array.from({ length: numLayers }, (_, i) => deriveSeed(batch.seed ?? 0, `layer ${i}`) | 0);
  return {
    ids: ints(batch.ids),
    labels: ints(batch.labels),
    weights: hostTensor("float32", shape, batch.weights),
    positions: ints(batch.positions),
    ...(inputs.segments && { segments: ints(batch.segments!) }),
    ...(inputs.seeds && { seeds: hostTensor("int32", [numLayers], seeds) }),
  };
}

/** Which step it is, for its graph: `step` counts those before it. */
export const progressFeeds = ({
  step,
  learningRate,
}: {
  readonly step: number;
  readonly learningRate: number;
}): Feeds => ({
  step: hostTensor("int64", [], BigInt64Array.of(BigInt(step))),
  learning_rate: hostTensor("float64", [], Float64Array.of(learningRate)),
});

/**
 * The graph of one step. Inputs: `ids`, `labels` (int64), `weights` (float32), `positions` and where packed `segments`
 * (int64), [batch, time] each; `seeds` int32 [layers] where the model has dropout; `step` int64, the steps taken before, and
 * `learning_rate` float64, of rank 0; every parameter under its name; states as `<state>.<parameter>`, zero before the first
 * step. Outputs: `loss`, the mean over positions by `weights`; `gradient_norm`, before clipping; and `next.<input>` for every
 * trained parameter and state, which may be written over that input.
 * @throws UnsupportedError for an optimiser that is no elementwise rule.
 * @throws ConfigError when nothing is trainable or a number is out of range; CapacityError when the model cannot compute sequences of this length.
 */
export function trainingStepGraph(model: LanguageModel, options: StepGraphOptions): Graph {
  const rule = elementwise(options.optimizer);
  checkNumbers(options);
  checkLength(model, options.time);
  const trained = parameterSpecs(model).filter(({ name }) => options.isTrainable(name));
  if (trained.length === 0) throw new ConfigError("training step as a graph: no parameter of the model is trainable");
  const description = describeTraining(model, {
    ...options,
    lossTile: { rows: options.lossRows, vocabulary: model.vocabSize },
    streamGradients: false,
  });
  const hasDropout = description.layers.some(({ forward }) => "seed" in forward.inputs);
  const states = trained.flatMap(({ name, shape }) =>
    rule.states.map((state) => [`${state}.${name}`, float(shape)] as const),
  );
  const inputs: Record<string, Aval> = {
    ...batchInputs(options),
    ...(hasDropout && { seeds: { dtype: "int32", shape: [model.layers.length] } }),
    step: { dtype: "int64", shape: [] },
    learning_rate: { dtype: "float64", shape: [] },
    ...parameterInputs(model),
    ...Object.fromEntries(states),
  };
  return graph(`${model.family}.training_step`, inputs, (tensors) => {
    const { loss, gradients } = wholeGradient(description, tensors);
    // a parameter that the loss does not depend on is decayed all the same
    const all = trained.map((spec) => [spec, gradients.get(spec.name) ?? broadcastTo(scalar(0), spec.shape)] as const);
    return { loss, ...update(rule, all, tensors, options) };
  });
}

const float = (shape: readonly number[]): Aval => ({ dtype: "float32", shape });

const parameterInputs = (model: LanguageModel): Record<string, Aval> =>
  Object.fromEntries(parameterSpecs(model).map(({ name, shape }) => [name, float(shape)]));

function batchInputs({ batchSize, time, packed }: SequenceShape): Record<string, Aval> {
  const perPosition = (dtype: DType): Aval => ({ dtype, shape: [batchSize, time] });
  return {
    ids: perPosition("int64"),
    labels: perPosition("int64"),
    weights: perPosition("float32"),
    positions: perPosition("int64"),
    ...(packed && { segments: perPosition("int64") }),
  };
}

/** Loss alone, without dropout: inputs as those of a step where it has them, one output `loss`, Σ weights · loss. */
export function evaluationGraph(
  model: LanguageModel,
  shape: SequenceShape & Pick<StepGraphOptions, "lossRows">,
): Graph {
  const inputs = { ...batchInputs(shape), ...parameterInputs(model) };
  return graph(`${model.family}.loss`, inputs, (tensors) => ({ loss: wholeLoss(model, shape, tensors) }));
}

function checkNumbers({ lossRows, weightDecay, clipNorm }: StepGraphOptions): void {
  const refuse = (name: string, expected: string, value: number): ConfigError =>
    new ConfigError(`training step as a graph: ${name} must be ${expected}, got ${value}`);
  if (!(Number.isInteger(lossRows) && lossRows > 0)) throw refuse("lossRows", "a whole number from 1 on", lossRows);
  if (!(weightDecay >= 0 && weightDecay < Number.POSITIVE_INFINITY))
    throw refuse("weightDecay", "0 or more", weightDecay);
  if (clipNorm !== null && !(clipNorm > 0)) throw refuse("clipNorm", "above 0, or null", clipNorm);
}

function elementwise(rule: OptimizerRule): ElementwiseRule {
  if (!("createUpdater" in rule)) return rule;
  throw new UnsupportedError(
    `training step as a graph: "${rule.name}" treats parameters as a whole or packs its states, which is done outside of graphs; take an elementwise rule: adamw, lion or sgd`,
  );
}

type Tensors = Readonly<Record<string, Tensor>>;

/** Clipping and the optimiser. */
function update(
  rule: ElementwiseRule,
  gradients: readonly (readonly [ParameterSpec, Tensor])[],
  inputs: Tensors,
  { clipNorm, weightDecay }: StepGraphOptions,
): Record<string, Tensor> {
  // one vector of them: a device that does not compute in float64 hands it over once
  const squares = gradients.map(([{ shape }, gradient]) => reshape(sumOfSquares(gradient, sizeOf(shape)), [1]));
  const norm = sqrt(reduceSum(cast(concat(squares, 0), "float64"), [0]));
  const one = scalar(1, "float64");
  const scalarsFor = (decay: number): Tensors => {
    const values = rule.scalarsOf({
      step: cast(inputs.step!, "float64"),
      learningRate: inputs.learning_rate!,
      gradientScale: clipNorm === null ? one : minimum(div(clipNorm, norm), one),
      weightDecay: scalar(decay, "float64"),
    });
    // once the norm is there, nothing reads parameters any more: each may be overwritten by its next value
    const late = Object.entries(values).map(([name, value]) => [name, cast(after(value, [norm]), "float32")]);
    return Object.fromEntries(late);
  };
  const [ofMatrices, ofVectors] = [scalarsFor(weightDecay), scalarsFor(0)];
  const outputs: Record<string, Tensor> = { gradient_norm: cast(norm, "float32") };
  for (const [{ name, shape }, gradient] of gradients) {
    const states = rule.states.map((state) => [state, inputs[`${state}.${name}`]!] as const);
    const { parameter, ...rest } = rule.update({
      ...(shape.length > 1 ? ofMatrices : ofVectors),
      parameter: inputs[name]!,
      gradient,
      ...Object.fromEntries(states),
    });
    outputs[NEXT + name] = parameter!;
    for (const [state, value] of Object.entries(rest)) outputs[`${NEXT}${state}.${name}`] = value;
  }
  return outputs;
}
