/** @file What every export format offers: files are written, and read back by their bytes alone. */

import type { HostTensor } from "../base/host-tensor.js";
import type { Adapter } from "../peft/index.js";
import type { ForwardInput } from "../plan/index.js";
import type { LoadedModel } from "../presets/index.js";
import type { Runtime } from "../runtime/index.js";

/** A model in memory, with the adapter that is attached to it where there is one. */
export interface ExportSource extends LoadedModel {
  readonly adapter?: {
    readonly definition: Adapter;
    /** The adapter's own parameters by name. */
    readonly parameters: ReadonlyMap<string, HostTensor>;
    /** Name or path of the base, for the adapter's config. */
    readonly baseModel: string;
  };
}

export interface ExportOptions {
  /** How weights are stored; one of the format's `dtypes`. */
  readonly dtype: string;
  /** ONNX: take and give keys and values of earlier tokens. */
  readonly cache: boolean;
}

/** What was written, as it reads when everything in memory is forgotten. */
export interface ReadBack {
  readonly files: readonly string[];
  /** Logits [B, T, V]. */
  logits(runtime: Runtime, input: ForwardInput): Promise<HostTensor>;
  /** Weights under the checkpoint's names, float32. */
  weights(): Promise<ReadonlyMap<string, HostTensor>>;
}

/** How much a type of weights may change, beyond which something else is wrong. */
export interface Precision {
  /** Largest error of a weight, in shares of its tensor's largest magnitude. */
  readonly weights: number;
  /**
   * Largest difference of a logit unless another limit is given, in shares of the logits' standard deviation, so that it
   * fits every model. Generous for few bits: how much they cost depends on the model.
   */
  readonly logits: number;
}

/** By type, as the formats name them. Half a step of float16 is 2^-11, of bfloat16 2^-8, of blocks 1/254 and 1/16. */
export const precisions = {
  float32: { weights: 0, logits: 1e-4 },
  float16: { weights: 2 ** -11, logits: 0.05 },
  bfloat16: { weights: 2 ** -8, logits: 0.5 },
  Q8_0: { weights: 0.005, logits: 1 },
  Q4_0: { weights: 0.13, logits: 5 },
} as const satisfies Record<string, Precision>;

/** An export format. Registered in `index.ts`; `test/conformance/exporters.test.ts` then tests it. */
export interface Exporter {
  readonly name: string;
  readonly about: string;
  /** Types of weights that it writes, the default first, each with what it keeps. */
  readonly dtypes: Readonly<Record<string, Precision>>;
  /** Which form of the model it writes: with the adapter merged into the weights, or the adapter alone. */
  readonly writes: "merged" | "adapter";
  write(source: ExportSource, target: string, options: ExportOptions): Promise<ReadBack>;
}
