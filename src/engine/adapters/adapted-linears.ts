/** @file Linear maps with an adapter beside each, whose matrices are inputs of the program. */

import { add, input, lowRank, type Tensor } from "../../graph/index.js";
import type { LinearHandle, Scope } from "../../nn/index.js";

/** A linear map that takes adapters. */
export interface AdaptedLinear {
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** Input [A, r, in], where A is the batch or 1. */
  readonly down: string;
  /** Input [A, r, out]. */
  readonly up: string;
}

/** The adapters' part of a step's graph. It learns which maps there are while the graph is built. */
export class AdaptedLinears {
  readonly #linears = new Map<string, AdaptedLinear>();
  readonly #inputs: Record<string, Tensor> = {};
  readonly #routed = new Set<string>();

  /** @param targets last parts of the names of the maps that take adapters; undefined for all. */
  constructor(readonly targets: readonly string[] | undefined) {}

  /** By full name. */
  get linears(): ReadonlyMap<string, AdaptedLinear> {
    return this.#linears;
  }

  /** Maps that see only the tokens that were sent to them (experts): which rows those are of, they do not know. */
  get routed(): ReadonlySet<string> {
    return this.#routed;
  }

  /** What the graph is fed for them, by name. */
  get inputs(): Readonly<Record<string, Tensor>> {
    return this.#inputs;
  }

  /** The scope of a layer whose linear maps take adapters. */
  scope(base: Scope, prefix: string): Scope {
    return { ...base, linear: (name) => this.#adapted(base.linear(name), prefix + name) };
  }

  #adapted(base: LinearHandle, name: string): LinearHandle {
    if (this.targets && !this.targets.includes(name.slice(name.lastIndexOf(".") + 1))) return base;
    return {
      ...base,
      forward: (x) => {
        if (x.rank !== 3) {
          this.#routed.add(name);
          return base.forward(x);
        }
        const { down, up } = this.#take(name, base);
        return add(base.forward(x), lowRank(x, this.#inputs[down]!, this.#inputs[up]!));
      },
    };
  }

  #take(name: string, { inFeatures, outFeatures }: LinearHandle): AdaptedLinear {
    const known = this.#linears.get(name);
    if (known) return known;
    const linear = { inFeatures, outFeatures, down: `down.${name}`, up: `up.${name}` };
    // a rank of its own: a map that no adapter of the batch changes costs as little as can be
    const rank = `R${this.#linears.size}`;
    this.#inputs[linear.down] = input(linear.down, "float32", ["A", rank, inFeatures]);
    this.#inputs[linear.up] = input(linear.up, "float32", ["A", rank, outFeatures]);
    this.#linears.set(name, linear);
    return linear;
  }
}
