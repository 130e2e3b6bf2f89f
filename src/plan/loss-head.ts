/** @file The loss of hidden states against labels, by tiles, so that the logits of a batch never exist at once. */

import { type HostTensor, rows, zeros } from "../base/host-tensor.js";
import type { LanguageModel, Parameters } from "../nn/index.js";
import type { Binding, Feeds, Program, Runtime } from "../runtime/index.js";
import { bindNamed } from "./bind-named.js";
import { lossGradientGraph, lossGraph, vocabularyGraphs } from "./loss-graphs.js";
import { storedAs } from "./precision.js";
import { flatRows, type SequenceFeeds } from "./sequence-feeds.js";

/** Size of the tiles in which the loss is computed. */
export interface LossTile {
  /** Positions. */
  readonly rows: number;
  /** Tokens of the vocabulary. A tile below the whole vocabulary computes its logits twice, forward and backward. */
  readonly vocabulary: number;
}

/** What a head reads and writes. */
export interface HeadBuffers {
  /** Hidden states [B, T, D], float32 or in half the bytes; gradients by them likewise. */
  readonly x: HostTensor;
  readonly parameters: Parameters;
  readonly feeds: SequenceFeeds;
  /** Gradient by x and by the parameters that are trained; absent for evaluation. */
  readonly gradients?: { readonly x: HostTensor; readonly parameters: ReadonlyMap<string, HostTensor> };
}

/** Loss over all positions of a batch. */
export interface LossHead {
  /** Σ weights · -log p(label). */
  loss(): Promise<number>;
  /** The same, with gradients written, or added to those that are there. */
  lossAndGradient(accumulate: boolean): Promise<number>;
  close(): void;
}

/** Compiles and binds a head. */
export async function createLossHead(
  runtime: Runtime,
  model: LanguageModel,
  tile: LossTile,
  buffers: HeadBuffers,
): Promise<LossHead> {
  const compile = tile.vocabulary < model.vocabSize ? vocabularyTiles : wholeVocabulary;
  const [batch, time] = buffers.x.shape as [number, number];
  const parts = await compile(runtime, model, tile, buffers, rowTiles(batch * time, tile.rows));
  const total = async (run: (part: RowTile, i: number) => Promise<number>): Promise<number> => {
    let sum = 0;
    for (const [i, part] of parts.entries()) sum += await run(part, i);
    return sum;
  };
  return {
    loss: () => total((part) => part.loss()),
    lossAndGradient: (accumulate) => total((part, i) => part.lossAndGradient(accumulate || i > 0)),
    close: () => {
      for (const part of parts) for (const binding of part.bindings) binding.release();
    },
  };
}

/** The loss of one tile of rows. */
interface RowTile {
  loss(): Promise<number>;
  lossAndGradient(accumulate: boolean): Promise<number>;
  readonly bindings: readonly Binding[];
}

type Range = readonly [start: number, end: number];

function rowTiles(count: number, size: number): Range[] {
  return Array.from({ length: Math.ceil(count / size) }, (_, i) => [i * size, Math.min((i + 1) * size, count)]);
}

/** Feeds of the head's parameters, and of their gradients as `d_<name>` and `sum_<name>`. */
function headFeeds(model: LanguageModel, { parameters, gradients }: HeadBuffers): Record<string, HostTensor> {
  const feeds: Record<string, HostTensor> = {};
  for (const { name } of [...model.head.parameters, model.head.weight]) {
    feeds[name] = parameters.get(name)!;
    const gradient = gradients?.parameters.get(name);
    if (gradient) Object.assign(feeds, { [`d_${name}`]: gradient, [`sum_${name}`]: gradient });
  }
  return feeds;
}

const trainedNames = ({ gradients }: HeadBuffers): string[] => [...(gradients?.parameters.keys() ?? [])];

async function wholeVocabulary(
  runtime: Runtime,
  model: LanguageModel,
  _tile: LossTile,
  buffers: HeadBuffers,
  tiles: readonly Range[],
): Promise<RowTile[]> {
  const wrt = trainedNames(buffers);
  const graphs = buffers.gradients
    ? [lossGradientGraph(model, wrt, false), lossGradientGraph(model, wrt, true)]
    : [lossGraph(model)];
  const programs = await Promise.all(graphs.map((graph) => runtime.compile(storedAs(graph, buffers.x.dtype))));
  const parameters = headFeeds(model, buffers);
  return tiles.map(([start, end]) => {
    const loss = zeros("float32", []);
    const all: Feeds = {
      ...parameters,
      ...buffers.feeds.tile(start, end),
      x: flatRows(buffers.x, start, end),
      ...(buffers.gradients && { d_x: flatRows(buffers.gradients.x, start, end) }),
      loss,
    };
    const bindings = programs.map((program) => bindNamed(program, all));
    const run = async (binding: Binding): Promise<number> => {
      await binding.run();
      return Number(loss.data[0]);
    };
    return {
      bindings,
      loss: () => run(bindings[0]!),
      lossAndGradient: (accumulate) => run(bindings[accumulate ? 1 : 0]!),
    };
  });
}

async function vocabularyTiles(
  runtime: Runtime,
  model: LanguageModel,
  tile: LossTile,
  buffers: HeadBuffers,
  tiles: readonly Range[],
): Promise<RowTile[]> {
  const graphs = vocabularyGraphs(model, trainedNames(buffers));
  const compiled = Object.entries(graphs).map(async ([name, graph]) => [
    name,
    await runtime.compile(storedAs(graph, buffers.x.dtype)),
  ]);
  const programs = Object.fromEntries(await Promise.all(compiled)) as Record<keyof typeof graphs, Program>;
  const largest = Math.max(...tiles.map(([start, end]) => end - start));
  const scratch = new RowScratch(largest, model.hiddenSize);
  const vocabulary = rowTiles(model.vocabSize, tile.vocabulary);
  return tiles.map((range) => new VocabularyTiledRows(programs, model, buffers, scratch, range, vocabulary));
}

/** Buffers for the rows of one tile; tiles take turns. */
class RowScratch {
  readonly h: HostTensor;
  readonly dh: HostTensor;
  readonly label: HostTensor;
  /** Running maximum; a scan reads one and writes the other, since it needs the old value after the new one. */
  readonly max: readonly [HostTensor, HostTensor];
  /** Columns [rows, 1] by name. */
  readonly columns: Readonly<Record<"inTile" | "sum" | "picked" | "logSum", HostTensor>>;

  constructor(count: number, width: number) {
    const column = (): HostTensor => zeros("float32", [count, 1]);
    this.h = zeros("float32", [count, width]);
    this.dh = zeros("float32", [count, width]);
    this.label = zeros("int64", [count, 1]);
    this.max = [column(), column()];
    this.columns = { inTile: column(), sum: column(), picked: column(), logSum: column() };
  }
}

/** Start of a running maximum: below any logit, yet finite, so that differences are numbers. */
const LOWEST = -1e30;

class VocabularyTiledRows implements RowTile {
  readonly #tiles: readonly { readonly range: Range; readonly scan: Binding; readonly gradients: readonly Binding[] }[];
  readonly #normalize: Binding;
  readonly #backward: readonly Binding[];
  readonly #labels: BigInt64Array;
  readonly #weights: Float32Array;
  readonly #scratch: RowScratch;
  readonly #count: number;

  constructor(
    programs: Record<keyof ReturnType<typeof vocabularyGraphs>, Program>,
    model: LanguageModel,
    buffers: HeadBuffers,
    scratch: RowScratch,
    [start, end]: Range,
    vocabulary: readonly Range[],
  ) {
    const { labels, weights } = buffers.feeds.tile(start, end);
    this.#labels = labels.data as BigInt64Array;
    this.#weights = weights.data as Float32Array;
    this.#count = end - start;
    this.#scratch = scratch;
    const cut = (tensor: HostTensor): HostTensor => rows(tensor, 0, this.#count);
    const { inTile, sum, picked, logSum } = scratch.columns;
    const [h, dh] = [cut(scratch.h), cut(scratch.dh)];
    const { gradients } = buffers;
    const parameters = headFeeds(model, buffers);
    const x = flatRows(buffers.x, start, end);
    this.#normalize = bindNamed(programs.normalize, { ...parameters, x, h });
    const backward = gradients && { ...parameters, x, d_h: dh, d_x: flatRows(gradients.x, start, end) };
    this.#backward = backward
      ? [programs.normalizeBackward, programs.normalizeBackwardAccumulate].map((p) => bindNamed(p, backward))
      : [];
    const name = model.head.weight.name;
    const dWeight = gradients?.parameters.get(name);
    this.#tiles = vocabulary.map((range, i) => {
      const tile = {
        h,
        w: rows(buffers.parameters.get(name)!, ...range),
        label: cut(scratch.label),
        inTile: cut(inTile),
      };
      const running = { max: cut(scratch.max[i % 2]!), sum: cut(sum), picked: cut(picked) };
      const next = { newMax: cut(scratch.max[(i + 1) % 2]!), newSum: running.sum, newPicked: running.picked };
      const dw = dWeight && rows(dWeight, ...range);
      const gradient = {
        ...tile,
        logSum: cut(logSum),
        weights: { ...weights, shape: [this.#count, 1] },
        partial: dh,
        newPartial: dh,
        ...(dw && { d_w: dw, sum: dw }),
      };
      return {
        range,
        scan: bindNamed(programs.scan, { ...tile, ...running, ...next }),
        gradients: gradients ? [programs.gradient, programs.gradientAccumulate].map((p) => bindNamed(p, gradient)) : [],
      };
    });
  }

  get bindings(): readonly Binding[] {
    return [this.#normalize, ...this.#backward, ...this.#tiles.flatMap(({ scan, gradients }) => [scan, ...gradients])];
  }

  async loss(): Promise<number> {
    const { sum, picked, logSum } = this.#scratch.columns;
    await this.#normalize.run();
    (this.#scratch.max[0].data as Float32Array).fill(LOWEST);
    (sum.data as Float32Array).fill(0);
    (picked.data as Float32Array).fill(0);
    for (const { range, scan } of this.#tiles) {
      this.#locate(range);
      await scan.run();
    }
    const max = this.#scratch.max[this.#tiles.length % 2]!;
    let loss = 0;
    for (let i = 0; i < this.#count; i++) {
      const logSumOfRow = Number(max.data[i]) + Math.log(Number(sum.data[i]));
      logSum.data[i] = logSumOfRow;
      loss += this.#weights[i]! * (logSumOfRow - Number(picked.data[i]));
    }
    return loss;
  }

  async lossAndGradient(accumulate: boolean): Promise<number> {
    const loss = await this.loss();
    (this.#scratch.dh.data as Float32Array).fill(0);
    for (const { range, gradients } of this.#tiles) {
      this.#locate(range);
      await gradients[accumulate ? 1 : 0]!.run();
    }
    await this.#backward[accumulate ? 1 : 0]!.run();
    return loss;
  }

  /** Labels relative to a tile of the vocabulary. */
  #locate([start, end]: Range): void {
    const label = this.#scratch.label.data as BigInt64Array;
    const inTile = this.#scratch.columns.inTile.data as Float32Array;
    for (let i = 0; i < this.#count; i++) {
      const index = Number(this.#labels[i]);
      const isInside = index >= start && index < end;
      label[i] = BigInt(isInside ? index - start : 0);
      inTile[i] = isInside ? 1 : 0;
    }
  }
}
