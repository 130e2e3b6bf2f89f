/** @file The end of a model as graphs: hidden states and labels to loss and gradients, by tiles of rows and of vocabulary. */

import { softcapped, softcapSlope } from "../graph/functional/softcap.js";
import {
  type Aval,
  add,
  addAlong,
  type Dim,
  exp,
  type Graph,
  grad,
  graph,
  linearCrossEntropy,
  logSoftmax,
  matmul,
  maximum,
  mul,
  neg,
  reduceMax,
  reduceSum,
  reshape,
  scalar,
  sub,
  type Tensor,
  takeAlong,
} from "../graph/index.js";
import { type LanguageModel, scopeOf } from "../nn/index.js";

/** Rows of a tile, bound when the program runs; tokens of a tile of the vocabulary likewise. */
const ROWS = "rows";
const TOKENS = "tokens";

const float = (...shape: Dim[]): Aval => ({ dtype: "float32", shape });
const column = float(ROWS, 1);

/** Parameters of what comes before the last linear map. */
function normParameters(model: LanguageModel): Record<string, Aval> {
  return Object.fromEntries(model.head.parameters.map((spec): [string, Aval] => [spec.name, float(...spec.shape)]));
}

/** Rows of the head's weight as the model reads them. */
const headRows = ({ head }: LanguageModel, rows: Tensor): Tensor => head.reading?.tensor(rows) ?? rows;

const normalized = (model: LanguageModel, inputs: Readonly<Record<string, Tensor>>): Tensor =>
  model.head.normalize(scopeOf(inputs), inputs.x!);

function wholeInputs(model: LanguageModel, rows: Dim = ROWS): Record<string, Aval> {
  return {
    x: float(rows, model.hiddenSize),
    labels: { dtype: "int64", shape: [rows] },
    weights: float(rows),
    ...normParameters(model),
    [model.head.weight.name]: float(...model.head.weight.shape),
  };
}

function wholeLoss(model: LanguageModel, inputs: Readonly<Record<string, Tensor>>): Tensor {
  const weight = headRows(model, inputs[model.head.weight.name]!);
  const [h, labels, weights] = [normalized(model, inputs), inputs.labels!, inputs.weights!];
  const { softcap } = model.head;
  if (softcap === undefined) return linearCrossEntropy(h, weight, labels, weights);
  const logits = softcapped(matmul(h, weight, { transB: true }), softcap);
  const column = [labels.shape[0]!, 1];
  const picked = takeAlong(logSoftmax(logits), reshape(labels, column));
  return neg(reduceSum(mul(picked, reshape(weights, column)), [0, 1]));
}

/** x [rows, D] → logits [rows, V]. */
export function logitsGraph(model: LanguageModel): Graph {
  const { labels, weights, ...inputs } = wholeInputs(model);
  return graph("logits", inputs, (tensors) => {
    const weight = headRows(model, tensors[model.head.weight.name]!);
    const h = normalized(model, tensors);
    return { logits: softcapped(matmul(h, weight, { transB: true }), model.head.softcap), h };
  });
}

/** `d_<name>` for each gradient, added to `sum_<name>` where the graph has it. */
function withSums(
  names: readonly string[],
  gradients: readonly (Tensor | null)[],
  inputs: Readonly<Record<string, Tensor>>,
): Record<string, Tensor> {
  const entries = names.map((name, i) => {
    const sum = inputs[`sum_${name}`];
    return [`d_${name}`, sum ? add(gradients[i]!, sum) : gradients[i]!] as const;
  });
  return Object.fromEntries(entries);
}

function sumInputs(names: readonly string[], inputs: Readonly<Record<string, Aval>>): Record<string, Aval> {
  return Object.fromEntries(names.map((name) => [`sum_${name}`, inputs[name]!]));
}

/** Whole vocabulary: x, labels, weights → Σ weights · -log p(label). `rows` are known when the program runs unless given. */
export function lossGraph(model: LanguageModel, rows: Dim = ROWS): Graph {
  return graph("loss", wholeInputs(model, rows), (inputs) => ({ loss: wholeLoss(model, inputs) }));
}

/**
 * Whole vocabulary: loss with `d_x` and `d_<parameter>` for each name of `wrt` in one program, so that the logits are
 * computed once. With `accumulate`, gradients of parameters are added to `sum_<parameter>`. `rows` are known when the
 * program runs unless given.
 */
export function lossGradientGraph(
  model: LanguageModel,
  wrt: readonly string[],
  accumulate: boolean,
  rows: Dim = ROWS,
): Graph {
  const inputs = wholeInputs(model, rows);
  return graph("loss.gradient", { ...inputs, ...(accumulate && sumInputs(wrt, inputs)) }, (tensors) => {
    const loss = wholeLoss(model, tensors);
    const sources = ["x", ...wrt].map((name) => tensors[name]!);
    const [dx, ...rest] = grad([{ output: loss, cotangent: scalar(1) }], sources);
    return { loss, d_x: dx!, ...withSums(wrt, rest, tensors) };
  });
}

/** The steps over tiles of the vocabulary. */
export interface VocabularyGraphs {
  /** x → h. */
  readonly normalize: Graph;
  /** h, a tile of the head's weight, and the running max, sum and label's logit → the same after the tile. */
  readonly scan: Graph;
  /** … and log Σ exp → gradient by h (added up) and by the tile of the weight. */
  readonly gradient: Graph;
  readonly gradientAccumulate: Graph;
  /** d_h → d_x and gradients of the parameters before. */
  readonly normalizeBackward: Graph;
  readonly normalizeBackwardAccumulate: Graph;
}

/**
 * Softmax over the vocabulary without its logits: a first pass keeps each row's running maximum and sum (online softmax,
 * Milakov and Gimelshein 2018, arXiv:1805.02867, algorithm 3), a second computes each tile's probabilities again.
 */
export function vocabularyGraphs(model: LanguageModel, wrt: readonly string[]): VocabularyGraphs {
  const x = float(ROWS, model.hiddenSize);
  const tile = {
    h: x,
    w: float(TOKENS, model.hiddenSize),
    /** Label within the tile; 0 where `inTile` is 0. */
    label: { dtype: "int64", shape: [ROWS, 1] } as Aval,
    inTile: column,
  };
  const norms = model.head.parameters.map((spec) => spec.name).filter((name) => wrt.includes(name));
  const parameters = normParameters(model);
  const hasWeight = wrt.includes(model.head.weight.name);
  const backward = (accumulate: boolean): Graph => {
    const sums = accumulate ? sumInputs(norms, parameters) : {};
    const inputs: Record<string, Aval> = { x, d_h: x, ...parameters, ...sums };
    return graph("loss.normalize.backward", inputs, (tensors) => {
      const sources = ["x", ...norms].map((name) => tensors[name]!);
      const [dx, ...rest] = grad([{ output: normalized(model, tensors), cotangent: tensors.d_h! }], sources);
      return { d_x: dx!, ...withSums(norms, rest, tensors) };
    });
  };
  const read = (tensors: Readonly<Record<string, Tensor>>) => ({ ...tensors, w: headRows(model, tensors.w!) });
  const gradient = (accumulate: boolean): Graph => {
    const sum = accumulate && hasWeight ? { sum: tile.w } : {};
    const inputs: Record<string, Aval> = { ...tile, logSum: column, weights: column, partial: x, ...sum };
    return graph("loss.vocabulary.gradient", inputs, (tensors) =>
      tileGradient(read(tensors), hasWeight, model.head.softcap),
    );
  };
  return {
    normalize: graph("loss.normalize", { x, ...parameters }, (tensors) => ({ h: normalized(model, tensors) })),
    scan: graph("loss.vocabulary.scan", { ...tile, max: column, sum: column, picked: column }, (tensors) =>
      tileScan(read(tensors), model.head.softcap),
    ),
    gradient: gradient(false),
    gradientAccumulate: gradient(true),
    normalizeBackward: backward(false),
    normalizeBackwardAccumulate: backward(true),
  };
}

type Softcap = number | undefined;

function tileScan(inputs: Readonly<Record<string, Tensor>>, softcap: Softcap): Record<string, Tensor> {
  const { h, w, label, inTile, max, sum, picked } = inputs as Record<string, Tensor>;
  const logits = softcapped(matmul(h!, w!, { transB: true }), softcap);
  const newMax = maximum(max!, reduceMax(logits, [1], { keepDims: true }));
  const tileSum = reduceSum(exp(sub(logits, newMax)), [1], { keepDims: true });
  return {
    newMax,
    newSum: add(mul(sum!, exp(sub(max!, newMax))), tileSum),
    newPicked: add(picked!, mul(inTile!, takeAlong(logits, label!))),
  };
}

/** dlogits = weights · (softmax - onehot), with the weights acting on rows of h and of the result. */
function tileGradient(
  inputs: Readonly<Record<string, Tensor>>,
  hasWeight: boolean,
  softcap: Softcap,
): Record<string, Tensor> {
  const { h, w, label, inTile, logSum, weights, partial, sum } = inputs as Record<string, Tensor>;
  const logits = softcapped(matmul(h!, w!, { transB: true }), softcap);
  const probabilities = exp(sub(logits, logSum!));
  const byLogits = addAlong(probabilities, label!, neg(inTile!));
  const difference = softcap === undefined ? byLogits : mul(byLogits, softcapSlope(logits, softcap));
  const dh = add(partial!, mul(matmul(difference, w!), weights!));
  if (!hasWeight) return { newPartial: dh };
  const dw = matmul(difference, mul(h!, weights!), { transA: true });
  return { newPartial: dh, d_w: sum ? add(dw, sum) : dw };
}
