/** @file The gate of every export: what was written, read back, computes what the model in memory computes. */

import { CheckpointError, ConfigError } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import { Rng } from "../base/rng.js";
import { attach, merge } from "../peft/index.js";
import { type ForwardInput, forward } from "../plan/index.js";
import type { Runtime } from "../runtime/index.js";
import type { Exporter, ExportOptions, ExportSource } from "./exporter.js";

export interface ExportReport {
  readonly format: string;
  readonly dtype: string;
  readonly files: readonly string[];
  /** Largest difference of a logit, and the largest that was allowed. */
  readonly maxDifference: number;
  readonly limit: number;
  /** Standard deviation of the logits, to judge the difference by. */
  readonly logitSpread: number;
  /** Share of positions at which the most likely token is the same. */
  readonly sameTop: number;
  /** Tokens that were compared. */
  readonly numTokens: number;
}

export interface ExportRequest extends Partial<ExportOptions> {
  /** File or folder to write. */
  readonly target: string;
  /** Largest difference of a logit. Default: the format's own for the type of its weights. */
  readonly limit?: number;
}

/** Two sequences of different tokens, one of them padded on the left, as both sides of a file's mask must work. */
export function probe(vocabSize: number, maxPositions: number): Required<ForwardInput> {
  const time = Math.min(24, maxPositions);
  const rng = new Rng(20);
  const draw = (): number[] => Array.from({ length: time }, () => rng.below(vocabSize));
  const padded = Array.from({ length: time }, (_, i) => Number(i >= Math.floor(time / 4)));
  return { ids: [draw(), draw()], mask: [new Array<number>(time).fill(1), padded] };
}

/** What float32 arithmetic in another order may change, in shares of the logits' standard deviation. */
const ROUNDING = 1e-4;

/**
 * Writes a model and compares what was written with it: every weight within what its type keeps, logits equal to those of
 * the model with these weights, and within the limit of those of the model itself.
 * @throws CheckpointError naming the first tensor that differs.
 * @throws ConfigError for a type of weights that the format does not write.
 */
export async function exportModel(
  runtime: Runtime,
  source: ExportSource,
  exporter: Exporter,
  request: ExportRequest,
): Promise<ExportReport> {
  const { target, cache = true, dtype = Object.keys(exporter.dtypes)[0]! } = request;
  const keeps = exporter.dtypes[dtype];
  if (keeps === undefined) {
    throw new ConfigError(
      `${exporter.name} does not write ${dtype}; it writes: ${Object.keys(exporter.dtypes).join(", ")}`,
    );
  }
  const refuse = (what: string): CheckpointError =>
    new CheckpointError(`${target}: read back, it is not the model that was exported: ${what}. Do not use this file`);
  const input = probe(source.model.vocabSize, source.model.maxPositions);
  const prepared = exporter.writes === "merged" ? merged(source) : source;
  const expected = await logitsInMemory(runtime, prepared, input);
  const written = await exporter.write(prepared, target, { dtype, cache });
  const weights = await written.weights();
  const different = firstDifference(prepared.adapter?.parameters ?? prepared.parameters, weights, keeps.weights);
  if (different !== undefined) throw refuse(different);
  const actual = await written.logits(runtime, input);
  const rounded = compareLogits(await logitsInMemory(runtime, withWeights(prepared, weights), input), actual, input);
  if (!(rounded.maxDifference <= ROUNDING * rounded.logitSpread)) {
    throw refuse(
      `its weights are right, but its logits differ from those of the same weights by ${rounded.maxDifference.toExponential(2)}, so its graph or config computes something else`,
    );
  }
  const compared = compareLogits(expected, actual, input);
  const limit = request.limit ?? keeps.logits * compared.logitSpread;
  if (!(compared.maxDifference <= limit)) {
    throw refuse(
      `its logits differ by ${compared.maxDifference.toExponential(2)}, more than the limit of ${limit.toExponential(2)}; ${firstDifference(prepared.adapter?.parameters ?? prepared.parameters, weights, 0) ?? "no tensor differs"}`,
    );
  }
  return { format: exporter.name, dtype, files: written.files, limit, ...compared };
}

/** The source with the weights that a file holds. */
function withWeights(source: ExportSource, weights: ReadonlyMap<string, HostTensor>): ExportSource {
  const replaced = (own: ReadonlyMap<string, HostTensor>) =>
    new Map([...own].map(([name, tensor]) => [name, weights.get(name) ?? tensor] as const));
  const { adapter } = source;
  return adapter
    ? { ...source, adapter: { ...adapter, parameters: replaced(adapter.parameters) } }
    : { ...source, parameters: replaced(source.parameters) };
}

/** The source with its adapter added to copies of the weights. */
function merged(source: ExportSource): ExportSource {
  const { adapter, ...rest } = source;
  if (!adapter) return source;
  const copies = [...source.parameters].map(([name, t]) => [name, { ...t, data: t.data.slice() }] as const);
  const all = new Map([...copies, ...adapter.parameters]);
  merge(source.model, adapter.definition, all);
  return { ...rest, parameters: new Map(copies.map(([name]) => [name, all.get(name)!])) };
}

async function logitsInMemory(runtime: Runtime, source: ExportSource, input: ForwardInput): Promise<HostTensor> {
  const { model, parameters, adapter } = source;
  const whole = adapter ? attach(model, adapter.definition) : model;
  const all = adapter ? new Map([...parameters, ...adapter.parameters]) : parameters;
  return (await forward(runtime, whole, all, input)).logits;
}

/** Differences at tokens; what stands at padding means nothing. */
function compareLogits(expected: HostTensor, actual: HostTensor, { mask }: Required<ForwardInput>) {
  const [batch, time, vocab] = expected.shape as readonly [number, number, number];
  if (`${actual.shape}` !== `${expected.shape}`) {
    throw new CheckpointError(`read back, logits have shape [${actual.shape}], expected [${expected.shape}]`);
  }
  let [maxDifference, sum, squares, same, numTokens] = [0, 0, 0, 0, 0];
  for (let at = 0; at < batch * time; at++) {
    if (mask[Math.floor(at / time)]![at % time] === 0) continue;
    const row = (t: HostTensor): Float32Array => (t.data as Float32Array).subarray(at * vocab, (at + 1) * vocab);
    const [a, b] = [row(expected), row(actual)];
    a.forEach((value, i) => {
      const difference = Math.abs(value - b[i]!);
      // a NaN must not pass
      if (!(difference <= maxDifference)) maxDifference = difference;
      sum += value;
      squares += value * value;
    });
    same += Number(top(a) === top(b));
    numTokens++;
  }
  const count = numTokens * vocab;
  const logitSpread = Math.sqrt(Math.max(squares / count - (sum / count) ** 2, 0));
  return { maxDifference, logitSpread, sameTop: same / numTokens, numTokens };
}

const top = (row: Float32Array): number => row.indexOf(row.reduce((a, b) => Math.max(a, b)));

/** Names the first weight that is off by more than `share` of the tensor's largest magnitude. */
function firstDifference(
  expected: ReadonlyMap<string, HostTensor>,
  weights: ReadonlyMap<string, HostTensor>,
  share: number,
): string | undefined {
  for (const [name, { shape, data }] of expected) {
    const other = weights.get(name);
    if (!other) continue;
    const what = `the first tensor that differs is ${name}`;
    if (`${other.shape}` !== `${shape}`) return `${what}: [${other.shape}] for [${shape}]`;
    const values = data as Float32Array;
    const scale = values.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
    const at = values.findIndex((v, i) => !(Math.abs(v - (other.data[i] as number)) <= share * scale));
    if (at >= 0) return `${what}: ${other.data[at]} for ${values[at]} at element ${at}`;
  }
  return undefined;
}
