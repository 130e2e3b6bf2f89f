/** @file What a backend offers: ONNX models become sessions, sessions run on host tensors. */

import type { DType } from "../../base/dtype.js";
import type { HostTensor } from "../../base/host-tensor.js";
import type { Device } from "../../graph/emitter.js";

export interface BackendOptions {
  /** Threads inside an operator. Float sums depend on it. Default: the number of physical cores as the runtime sees them. */
  readonly numThreads?: number;
}

/** Entry of a session's configuration: where files that a model points to lie. */
export const EXTERNAL_FOLDER = "session.model_external_initializers_file_folder_path";

/** A tensor that lies in a device's memory, from run to run. Programs of the same backend read and write it there. */
export interface DeviceTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The value as the runtime knows it. */
  readonly handle: bigint;
  /** Frees the memory. No binding may use it any more. */
  release(): void;
}

/** What programs run on. */
export type BoundTensor = HostTensor | DeviceTensor;

/** A device's own memory. Copies wait for what the device was asked to do before. */
export interface DeviceMemory {
  /** What it holds is not defined before it is written. */
  allocate(dtype: DType, shape: readonly number[]): DeviceTensor;
  write(from: HostTensor, into: DeviceTensor): Promise<void>;
  read(from: DeviceTensor, into: HostTensor): Promise<void>;
}

export interface Backend {
  readonly name: string;
  /** What programs are lowered for. */
  readonly device: Device;
  /** Memory of the device, where it has its own. Host tensors then cross the bus in every run. */
  readonly memory?: DeviceMemory;
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
  bind(inputs: readonly BoundTensor[], outputs: readonly BoundTensor[]): Binding;
  /** Waits for runs in flight, then frees the session. */
  close(): Promise<void>;
}

export interface Binding {
  /** Runs once. @throws TesseraError with the runtime's words. */
  run(): Promise<void>;
  /** Frees what the binding holds; the tensors stay. */
  release(): void;
}
