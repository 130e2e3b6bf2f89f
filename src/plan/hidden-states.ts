/** @file Hidden states between layers and gradients by them: where they lie. */

import { byteSize, type HostTensor, zeros } from "../base/host-tensor.js";
import type { Feeds, Runtime } from "../runtime/index.js";
import type { TrainDescription } from "./describe.js";
import type { Precision } from "./precision.js";
import { WHOLE_X, WHOLE_Y } from "./selected-layer.js";
import { flatRows, gatherRows } from "./sequence-feeds.js";

type Sizes = Pick<TrainDescription, "model" | "options" | "layers" | "selected">;

/** Whether backward passes read the hidden states of positions that are not selected. */
const readsWhole = ({ layers }: Sizes): boolean =>
  layers.some(({ backward }) => backward && WHOLE_X in backward.inputs);

/**
 * Buffers of differentiated positions, and of all where these are a selection: before the first layer, behind it, …; of
 * either, what can be had from the other is kept once.
 */
function numBuffers(sizes: Sizes): { readonly states: number; readonly wholes: number } {
  const all = sizes.layers.length + 1;
  if (sizes.selected === undefined) return { states: all, wholes: 0 };
  return readsWhole(sizes) ? { states: 1, wholes: all } : { states: all, wholes: 2 };
}

const dtypeOf = ({ options: { precision = "float32" } }: Pick<Sizes, "options">): Precision => precision;

const shapeOf = ({ model, options: { batchSize } }: Pick<Sizes, "model" | "options">, positions: number): number[] => [
  batchSize,
  positions,
  model.hiddenSize,
];

/** Bytes that `HiddenStates` takes. */
export function hiddenBytes(sizes: Sizes): number {
  const { selected, options } = sizes;
  const { states, wholes } = numBuffers(sizes);
  const bytes = (positions: number): number => byteSize(dtypeOf(sizes), shapeOf(sizes, positions));
  return (states + 2) * bytes(selected ?? options.time) + wholes * bytes(options.time);
}

/** Bytes of `count` buffers of differentiated positions, with what programs hold of all positions beside them. */
export function residentBytes(sizes: Pick<Sizes, "model" | "options" | "selected">, count: number): number {
  const { selected, options } = sizes;
  const bytes = (positions: number): number => byteSize(dtypeOf(sizes), shapeOf(sizes, positions));
  return count * bytes(selected ?? options.time) + (selected === undefined ? 0 : 2 * bytes(options.time));
}

/** Inputs and outputs of layers, of the positions that are differentiated and, where these are a selection, of all. */
export class HiddenStates {
  /** Of the differentiated positions, [B, k or T, D]; one that serves all layers in turn where `#wholes` has them all. */
  readonly #states: readonly HostTensor[];
  /** The gradient by a layer's output and by its input: two buffers that swap from layer to layer. */
  readonly #gradients: readonly [HostTensor, HostTensor];
  /** Of all positions [B, T, D]. */
  readonly #wholes: readonly HostTensor[];
  readonly #numLayers: number;

  /** What outlives a layer's programs lies where the runtime's tensors do, which may be in files. */
  constructor(runtime: Runtime, sizes: Sizes) {
    const { layers, options, selected = options.time } = sizes;
    const { states, wholes } = numBuffers(sizes);
    const dtype = dtypeOf(sizes);
    const buffers = (count: number, positions: number): HostTensor[] => {
      const shape = shapeOf(sizes, positions);
      const isOnePerLayer = count > layers.length;
      return Array.from({ length: count }, () => (isOnePerLayer ? runtime.zeros(dtype, shape) : zeros(dtype, shape)));
    };
    const gradient = (): HostTensor => zeros(dtype, shapeOf(sizes, selected));
    this.#numLayers = layers.length;
    this.#states = buffers(states, selected);
    this.#gradients = [gradient(), gradient()];
    this.#wholes = buffers(wholes, options.time);
  }

  /** What all tokens' embeddings are written to. */
  get embedded(): HostTensor {
    return this.#wholes[0] ?? this.#states[0]!;
  }

  /** What the head reads. */
  get last(): HostTensor {
    return this.#states.at(-1)!;
  }

  /** The gradient by what layer `index` reads; that by what the head reads follows the last layer's. */
  gradientAt(index: number): HostTensor {
    return this.#gradients[(this.#numLayers - index) % 2]!;
  }

  /** What layer `index` reads and writes. */
  ofLayer(index: number): Feeds {
    const [x, y] = [this.#at(this.#states, index), this.#at(this.#states, index + 1)];
    const gradients = { d_y: this.gradientAt(index + 1), d_x: this.gradientAt(index) };
    if (this.#wholes.length === 0) return { x, y, ...gradients };
    const whole = { [WHOLE_X]: this.#at(this.#wholes, index), [WHOLE_Y]: this.#at(this.#wholes, index + 1) };
    return { x, ...whole, ...gradients };
  }

  /** Takes the rows `selected` of [B · T] from what layer `index` is about to read, or the head behind the last one. */
  select(index: number, selected: Int32Array): void {
    const whole = this.#at(this.#wholes, index);
    const [batch, time] = whole.shape as [number, number];
    gatherRows(flatRows(whole, 0, batch * time), selected, this.#at(this.#states, index));
  }

  /** The same before a backward pass: only where the rows of other layers have taken the place of these. */
  selectAgain(index: number, selected: Int32Array): void {
    if (this.#states.length === 1) this.select(index, selected);
  }

  /** Fewer buffers than there are places between layers are taken in turns. */
  #at(buffers: readonly HostTensor[], index: number): HostTensor {
    return buffers[index % buffers.length]!;
  }
}
