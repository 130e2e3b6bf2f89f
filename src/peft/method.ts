/** @file What a parameter-efficient method is: a few parameters beside a frozen linear map. */

import type { z } from "zod";
import type { HostTensor } from "../base/host-tensor.js";
import type { Tensor } from "../graph/index.js";
import type { Initializer, LinearHandle } from "../nn/index.js";

/** A parameter of an adapter, named within the linear map it belongs to. */
export interface AdapterParameter {
  /** As PEFT names it: `lora_A.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly init: Initializer;
}

/** What a method's forward may use besides x and its own parameters. */
export interface AdapterContext {
  dropout(x: Tensor, rate: number): Tensor;
}

/** One method: one file and one registry line. `Config` is what it reads of adapter_config.json. */
export interface PeftMethod<Config = never> {
  readonly name: string;
  /** Value of `peft_type` in adapter_config.json. */
  readonly peftType: string;
  readonly schema: z.ZodObject<z.ZodRawShape> & z.ZodType<Config>;
  /** Parameters for a linear map of these sizes. At initial values the adapted map equals the base. */
  parameters(config: Config, outFeatures: number, inFeatures: number): readonly AdapterParameter[];
  /** x [..., in] → [..., out]. */
  forward(
    config: Config,
    x: Tensor,
    base: LinearHandle,
    parameters: Readonly<Record<string, Tensor>>,
    context: AdapterContext,
  ): Tensor;
  /** What merging adds to the base's weight [out, in]; null for methods that cannot be merged. */
  delta: ((config: Config, parameters: Readonly<Record<string, HostTensor>>) => Float32Array) | null;
}
