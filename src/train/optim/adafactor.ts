/**
 * @file Adafactor (Shazeer and Stern 2018, arXiv:1804.04235, algorithms 4 and 5): the mean of squared gradients of a matrix
 * kept as its row and column means, without a first moment; steps relative to the parameter's size, clipped by their own.
 */

import { type HostTensor, hostTensor, rows, zeros } from "../../base/host-tensor.js";
import { div, graph, mul, reduceSum, sqrt, sub, type Tensor } from "../../graph/index.js";
import type { Binding, Program, Runtime } from "../../runtime/index.js";
import { PIECE } from "./elementwise.js";
import type { BoundUpdate, OptimizerOptions, StepInfo, Updater, WholeRule } from "./optimizer.js";

export interface AdafactorOptions {
  /** Added to squared gradients. Default 1e-30. */
  readonly epsilon1?: number;
  /** Least size of a parameter that steps are relative to. Default 1e-3. */
  readonly epsilon2?: number;
  /** d: root mean square of a step beyond which it is scaled down. Default 1. */
  readonly clipThreshold?: number;
  /** The decay of the mean in step t is 1 - t^decayRate. Default -0.8. */
  readonly decayRate?: number;
}

/**
 * R ← β₂R + (1-β₂) mean over columns of (g² + ε₁), C likewise over rows, V = R C / mean(R), u = g / √V,
 * p ← (1-ηλ)p - α u / max(1, RMS(u)/d) with α = max(ε₂, RMS(p)) · min(η, 1/√t). States: a row and a column of each matrix.
 * η stands for the paper's 10⁻². A vector is a matrix of one row, whose C is all of V; of more than two axes, all but the
 * last are rows.
 */
export function adafactor(options: AdafactorOptions = {}): WholeRule {
  return {
    name: "adafactor",
    statesOf: (shape) => {
      const [numRows, numColumns] = matrixOf(shape);
      return {
        rowMean: { dtype: "float32", shape: [numRows] },
        columnMean: { dtype: "float32", shape: [numColumns] },
      };
    },
    createUpdater: (runtime, shared) => AdafactorUpdater.create(runtime, { ...DEFAULTS, ...options, ...shared }),
  };
}

const DEFAULTS = { epsilon1: 1e-30, epsilon2: 1e-3, clipThreshold: 1, decayRate: -0.8 };

type Settings = Required<AdafactorOptions> & OptimizerOptions;

function matrixOf(shape: readonly number[]): readonly [numRows: number, numColumns: number] {
  const numColumns = shape.at(-1) ?? 1;
  return [shape.slice(0, -1).reduce((a, b) => a * b, 1), numColumns];
}

const matrix = { dtype: "float32", shape: ["rows", "columns"] } as const;
const column = { dtype: "float32", shape: ["rows", 1] } as const;
const row = { dtype: "float32", shape: ["columns"] } as const;
const one = { dtype: "float32", shape: [] } as const;

/** Sums of squares by row and column. */
const sumsGraph = () =>
  graph("adafactor.sums", { gradient: matrix, parameter: matrix }, ({ gradient, parameter }) => {
    const squares = mul(gradient, gradient);
    return {
      byRow: reduceSum(squares, [1], { keepDims: true }),
      byColumn: reduceSum(squares, [0]),
      ofParameter: reduceSum(mul(parameter, parameter), [0, 1]),
    };
  });

/** g / √(r c). */
const direction = (gradient: Tensor, r: Tensor, c: Tensor): Tensor => div(gradient, sqrt(mul(r, c)));

const lengthGraph = () =>
  graph("adafactor.length", { gradient: matrix, r: column, c: row }, ({ gradient, r, c }) => {
    const u = direction(gradient, r, c);
    return { length: reduceSum(mul(u, u), [0, 1]) };
  });

const stepGraph = () =>
  graph(
    "adafactor.step",
    { gradient: matrix, parameter: matrix, r: column, c: row, stepSize: one, keep: one },
    ({ gradient, parameter, r, c, stepSize, keep }) => ({
      newParameter: sub(mul(parameter, keep), mul(direction(gradient, r, c), stepSize)),
    }),
  );

class AdafactorUpdater implements Updater {
  #info: Omit<StepInfo, "weightDecay"> = { step: 0, learningRate: 0, gradientScale: 1 };

  private constructor(
    private readonly programs: readonly [sums: Program, length: Program, step: Program],
    private readonly settings: Settings,
  ) {}

  static async create(runtime: Runtime, settings: Settings): Promise<AdafactorUpdater> {
    const compile = (graphOf: () => ReturnType<typeof stepGraph>) => runtime.compile(graphOf());
    return new AdafactorUpdater(
      [await compile(sumsGraph), await compile(lengthGraph), await compile(stepGraph)],
      settings,
    );
  }

  begin(info: Omit<StepInfo, "weightDecay">): void {
    this.#info = info;
  }

  bind(parameter: HostTensor, gradient: HostTensor, states: Readonly<Record<string, HostTensor>>): BoundUpdate {
    const tiles = new MatrixTiles(this.programs, parameter, gradient);
    const isDecayed = parameter.shape.length > 1;
    return {
      run: () => this.#update(tiles, states, isDecayed),
      release: () => tiles.release(),
    };
  }

  async #update(tiles: MatrixTiles, states: Readonly<Record<string, HostTensor>>, isDecayed: boolean): Promise<void> {
    const { step, learningRate, gradientScale } = this.#info;
    const { epsilon1, epsilon2, clipThreshold, decayRate, weightDecay } = this.settings;
    const { numRows, numColumns } = tiles;
    const fresh = (step + 1) ** decayRate;
    const ofParameter = await tiles.sums();
    const mixed = (state: HostTensor, sums: ArrayLike<number>, count: number): Float32Array => {
      const mean = state.data as Float32Array;
      for (let i = 0; i < mean.length; i++)
        mean[i] = (1 - fresh) * mean[i]! + fresh * ((gradientScale ** 2 * sums[i]!) / count + epsilon1);
      return mean;
    };
    const rowMean = mixed(states.rowMean!, tiles.byRow, numColumns);
    const columnMean = mixed(states.columnMean!, tiles.byColumn, numRows);
    const whole = rowMean.reduce((sum, value) => sum + value, 0) / numRows;
    // divided first: the product of two means may be too small for float32
    tiles.setFactors(
      rowMean.map((value) => value / whole),
      columnMean,
    );
    const count = numRows * numColumns;
    const size = Math.max(epsilon2, Math.sqrt(ofParameter / count));
    const stepRms = gradientScale * Math.sqrt((await tiles.length()) / count);
    const rate = (size * Math.min(learningRate, 1 / Math.sqrt(step + 1))) / Math.max(1, stepRms / clipThreshold);
    await tiles.step(rate * gradientScale, 1 - learningRate * (isDecayed ? weightDecay : 0));
  }
}

interface Tile {
  readonly sums: Binding;
  readonly length: Binding;
  readonly step: Binding;
}

/** The three passes over one matrix, by tiles of whole rows that fit the cache. */
class MatrixTiles {
  readonly numRows: number;
  readonly numColumns: number;
  /** Sums of squared gradients. */
  readonly byRow: Float32Array;
  readonly byColumn: Float64Array;
  readonly #tiles: readonly Tile[];
  readonly #ofTile: { readonly byColumn: HostTensor; readonly ofParameter: HostTensor; readonly length: HostTensor };
  readonly #factors: { readonly r: HostTensor; readonly c: HostTensor };
  readonly #scalars = { stepSize: zeros("float32", []), keep: zeros("float32", []) };

  constructor([sums, length, step]: readonly [Program, Program, Program], parameter: HostTensor, gradient: HostTensor) {
    const [numRows, numColumns] = matrixOf(parameter.shape);
    this.numRows = numRows;
    this.numColumns = numColumns;
    const byRow = zeros("float32", [numRows, 1]);
    this.byRow = byRow.data as Float32Array;
    this.byColumn = new Float64Array(numColumns);
    this.#ofTile = {
      byColumn: zeros("float32", [numColumns]),
      ofParameter: zeros("float32", []),
      length: zeros("float32", []),
    };
    this.#factors = { r: zeros("float32", [numRows, 1]), c: zeros("float32", [numColumns]) };
    const size = Math.max(1, Math.floor(PIECE / numColumns));
    const flat = (tensor: HostTensor): HostTensor => hostTensor("float32", [numRows, numColumns], tensor.data);
    const [p, g] = [flat(parameter), flat(gradient)];
    this.#tiles = Array.from({ length: Math.ceil(numRows / size) }, (_, i) => {
      const cut = (tensor: HostTensor): HostTensor => rows(tensor, i * size, Math.min((i + 1) * size, numRows));
      const read = { gradient: cut(g), r: cut(this.#factors.r), c: this.#factors.c };
      const { byColumn, ofParameter, length: lengthOfTile } = this.#ofTile;
      return {
        sums: sums.bind({ gradient: read.gradient, parameter: cut(p) }, { byRow: cut(byRow), byColumn, ofParameter }),
        length: length.bind(read, { length: lengthOfTile }),
        step: step.bind({ ...read, parameter: cut(p), ...this.#scalars }, { newParameter: cut(p) }),
      };
    });
  }

  /** Fills `byRow` and `byColumn`; gives the sum of the parameter's squares. */
  async sums(): Promise<number> {
    this.byColumn.fill(0);
    const { byColumn, ofParameter } = this.#ofTile;
    let squares = 0;
    for (const { sums } of this.#tiles) {
      await sums.run();
      for (let i = 0; i < this.numColumns; i++) this.byColumn[i]! += Number(byColumn.data[i]);
      squares += Number(ofParameter.data[0]);
    }
    return squares;
  }

  setFactors(r: Float32Array, c: Float32Array): void {
    (this.#factors.r.data as Float32Array).set(r);
    (this.#factors.c.data as Float32Array).set(c);
  }

  /** Σ (g / √(r c))². */
  async length(): Promise<number> {
    let squares = 0;
    for (const { length } of this.#tiles) {
      await length.run();
      squares += Number(this.#ofTile.length.data[0]);
    }
    return squares;
  }

  async step(stepSize: number, keep: number): Promise<void> {
    this.#scalars.stepSize.data[0] = stepSize;
    this.#scalars.keep.data[0] = keep;
    for (const { step } of this.#tiles) await step.run();
  }

  release(): void {
    for (const { sums, length, step } of this.#tiles) for (const binding of [sums, length, step]) binding.release();
  }
}
