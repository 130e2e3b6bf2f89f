/** @file What a backend offers: ONNX models become sessions, sessions run on host tensors. */

import type { HostTensor } from "../../base/host-tensor.js";

export interface BackendOptions {
  /** Threads inside an operator. Float sums depend on it. Default: the number of physical cores as the runtime sees them. */
  readonly numThreads?: number;
}

/** Entry of a session's configuration: where files that a model points to lie. */
export const EXTERNAL_FOLDER = "session.model_external_initializers_file_folder_path";

export interface Backend {
  readonly name: string;
  /** Version of the runtime underneath. */
  readonly version: string;
  readonly numThreads: number;
  /**
   * Compiles a model; weights outside of it lie in files of `folder`.
   * @throws TesseraError with the runtime's words when it refuses.
   */
  load(model: Uint8Array, names: SessionNames, folder?: string): Promise<Session>;
  /** Frees what sessions share. Sessions must be closed before. */
  close(): Promise<void>;
}

/** Names of a program's values, in the order in which tensors are bound to them. */
export interface SessionNames {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /**
   * Prepares runs over fixed buffers: inputs and outputs in the order of the names. Outputs are written in place.
   * Neither may change, by others, while a run is in flight. A buffer may serve as input and output at once only
   * where the program allows it.
   */
  bind(inputs: readonly HostTensor[], outputs: readonly HostTensor[]): Binding;
  /** Waits for runs in flight, then frees the session. */
  close(): Promise<void>;
}

export interface Binding {
  /** Runs once. @throws TesseraError with the runtime's words. */
  run(): Promise<void>;
  /** Frees what the binding holds; the tensors stay. */
  release(): void;
}
