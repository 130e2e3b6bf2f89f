/** @file The default backend in Node: ONNX Runtime through its C API, with outputs in place and runs off the event loop. */

import { availableParallelism } from "node:os";
import type { Backend, BackendOptions } from "./backend.js";
import { closeEnvironment, createEnvironment, NativeSession } from "./native-session.js";
import { loadOrtApi } from "./ort-api.js";

/** Opens the native backend. @throws UnsupportedError where there is no library for this platform. */
export function openNative({ numThreads = availableParallelism() }: BackendOptions = {}): Backend {
  const api = loadOrtApi();
  const environment = createEnvironment(api, numThreads);
  return {
    name: "native",
    device: "cpu",
    version: api.version,
    numThreads,
    load: async (model, names, folder) => new NativeSession(environment, model, names, folder),
    close: () => closeEnvironment(environment),
  };
}
