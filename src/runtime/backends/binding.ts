/** @file The official Node binding: the fallback where the native backend does not load, and its oracle in tests. */

import { availableParallelism } from "node:os";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { messageOf, TesseraError, UnsupportedError } from "../../base/errors.js";
import type { HostTensor } from "../../base/host-tensor.js";
import {
  type Backend,
  type BackendOptions,
  type Binding,
  type BoundTensor,
  EXTERNAL_FOLDER,
  type Session,
  type SessionNames,
} from "./backend.js";

/** Opens the binding backend. Every output is copied once, and the event loop waits while a program runs. */
export function openBinding({ numThreads = availableParallelism() }: BackendOptions = {}): Backend {
  return {
    name: "binding",
    device: "cpu",
    version: "onnxruntime-node",
    numThreads,
    load: async (model, names, folder) => {
      const options = {
        intraOpNumThreads: numThreads,
        enableMemPattern: false,
        logSeverityLevel: 3,
        ...(folder !== undefined && { extra: { [EXTERNAL_FOLDER]: folder } }),
      } as const;
      try {
        return bindingSession(await InferenceSession.create(model, { ...options, executionProviders: ["cpu"] }), names);
      } catch (error) {
        throw new TesseraError(`ONNX Runtime: ${messageOf(error)}`, { cause: error });
      }
    },
    close: async () => {},
  };
}

function toOrt(tensor: BoundTensor): Tensor {
  const { dtype, shape, data } = onHost(tensor);
  if (dtype === "bfloat16")
    throw new UnsupportedError("the binding backend does not take bfloat16; use the native backend");
  return new Tensor(dtype, data as Float32Array, shape) as Tensor;
}

function onHost(tensor: BoundTensor): HostTensor {
  if ("data" in tensor) return tensor;
  throw new UnsupportedError("the binding backend has no device memory; use the webgpu backend");
}

function bindingSession(session: InferenceSession, names: SessionNames): Session {
  return {
    inputNames: names.inputs,
    outputNames: names.outputs,
    bind: (inputs, outputs): Binding => {
      const feeds = Object.fromEntries(names.inputs.map((name, i) => [name, toOrt(inputs[i]!)]));
      const targets = outputs.map(onHost);
      return {
        async run() {
          try {
            const results = await session.run(feeds, [...names.outputs]);
            names.outputs.forEach((name, i) => {
              (targets[i]!.data as Float32Array).set(results[name]!.data as Float32Array);
            });
          } catch (error) {
            throw new TesseraError(`ONNX Runtime: ${messageOf(error)}`, { cause: error });
          }
        },
        release() {},
      };
    },
    close: () => session.release(),
  };
}
