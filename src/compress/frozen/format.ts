/** @file What a form is in which frozen weights are kept while something else is trained. */

import type { HostTensor } from "../../base/host-tensor.js";
import type { Aval, Tensor } from "../../graph/index.js";

/** What stands for a weight, by what is added to its name. The part "" has a dtype that no other format's has. */
export type Parts<T> = Readonly<Record<string, T>>;

/** One form: one file and one registry line. */
export interface FrozenFormat<Name extends string = string> {
  readonly name: Name;
  parts(shape: readonly number[]): Parts<Aval>;
  /** @throws ConfigError when the values cannot be kept so. */
  pack(weight: HostTensor): Parts<HostTensor>;
  /** The float32 values that parts stand for. */
  unpack(parts: Parts<HostTensor>, shape: readonly number[]): HostTensor;
  /** The same in a graph, by ops that are cheap to read again (`OpDef.isCheapToRead`). */
  read(parts: Parts<Tensor>, shape: readonly number[]): Tensor;
}
