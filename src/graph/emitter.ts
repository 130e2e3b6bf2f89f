/** @file What a lowering may ask of the code that writes ONNX. */

import type { DType } from "../base/dtype.js";
import type { HostTensor } from "../base/host-tensor.js";
import type { Shape } from "./dim.js";

export type OnnxAttribute = number | string | readonly number[] | { readonly float: number };

/** What runs the operators. Not each has a kernel for every operator. */
export type Device = "cpu" | "webgpu";

/** Names are names of values in the ONNX graph. Integers become int attributes; `{ float }` marks a float. */
export interface OnnxEmitter {
  readonly device: Device;
  /** Adds an operator and returns the names of its outputs. */
  node(
    opType: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
    options?: { readonly domain?: string; readonly numOutputs?: number },
  ): string;
  /** The same for an operator with several outputs. */
  nodes(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>>,
    options: { readonly domain?: string; readonly numOutputs: number },
  ): readonly string[];
  /** An initializer. */
  constant(value: HostTensor): string;
  /** An int64 vector. */
  ints(values: readonly number[]): string;
  /** A scalar of the given type. */
  scalar(value: number, dtype: DType): string;
  /** An int64 vector with the sizes of a shape, named dims computed from the inputs. */
  shape(shape: Shape): string;
}

/** Domain of ONNX Runtime's own operators. */
export const MICROSOFT = "com.microsoft";
