/** @file The default backend in Node: ONNX Runtime through its C API, with outputs in place and runs off the event loop. */

import { availableParallelism } from "node:os";
import koffi from "koffi";
import { assert, messageOf, ShapeError, TesseraError } from "../../base/errors.js";
import { type HostTensor, sizeOf } from "../../base/host-tensor.js";
import { onnxDType } from "../../graph/onnx-dtype.js";
import {
  type Backend,
  type BackendOptions,
  type Binding,
  EXTERNAL_FOLDER,
  type Session,
  type SessionNames,
} from "./backend.js";
import { loadOrtApi, type OrtApi, type Pointer } from "./ort-api.js";

const LOG_ERRORS_ONLY = 3;
const CPU_ARENA = 1;
const DEFAULT_MEMORY = 0;
/** Grow the arena by what is asked for, not by powers of two: the peak is what training runs out of. */
const SAME_AS_REQUESTED = 1;
const RUNTIME_DEFAULT = -1;

/** What all sessions share: one thread pool and one arena, so that many programs cost no more than one. */
interface Environment {
  readonly api: OrtApi;
  readonly env: Pointer;
  readonly memory: Pointer;
}

function createEnvironment(api: OrtApi, numThreads: number): Environment {
  const threading = api.create("CreateThreadingOptions");
  api.call("SetGlobalIntraOpNumThreads", threading, numThreads);
  const env = api.create("CreateEnvWithGlobalThreadPools", LOG_ERRORS_ONLY, "tessera", threading);
  api.release("ReleaseThreadingOptions", threading);
  const memory = api.create("CreateCpuMemoryInfo", CPU_ARENA, DEFAULT_MEMORY);
  const arena = api.create("CreateArenaCfg", 0, SAME_AS_REQUESTED, RUNTIME_DEFAULT, RUNTIME_DEFAULT);
  api.call("CreateAndRegisterAllocator", env, memory, arena);
  api.release("ReleaseArenaCfg", arena);
  return { api, env, memory };
}

/** Opens the native backend. @throws UnsupportedError where there is no library for this platform. */
export function openNative({ numThreads = availableParallelism() }: BackendOptions = {}): Backend {
  const api = loadOrtApi();
  const environment = createEnvironment(api, numThreads);
  const open = new Set<NativeSession>();
  return {
    name: "native",
    version: api.version,
    numThreads,
    async load(model, names, folder) {
      const session = new NativeSession(environment, model, names, folder);
      open.add(session);
      return session;
    },
    async close() {
      await Promise.all([...open].map((session) => session.close()));
      api.release("ReleaseMemoryInfo", environment.memory);
      api.release("ReleaseEnv", environment.env);
    },
  };
}

/** A NUL-terminated string outside the JavaScript heap. */
function cString(text: string): Uint8Array {
  const encoded = new TextEncoder().encode(text);
  const bytes = new Uint8Array(new ArrayBuffer(encoded.length + 1));
  bytes.set(encoded);
  return bytes;
}

/** An array of pointers outside the JavaScript heap. */
function pointerArray(pointers: readonly Pointer[]): BigUint64Array {
  const array = new BigUint64Array(new ArrayBuffer(Math.max(pointers.length, 1) * 8));
  array.set(pointers);
  return array;
}

/** Names as C wants them; the strings must live as long as the array. */
class NameArray {
  readonly #strings: readonly Uint8Array[];
  readonly pointers: BigUint64Array;
  constructor(readonly names: readonly string[]) {
    this.#strings = names.map(cString);
    this.pointers = pointerArray(this.#strings.map((bytes) => koffi.address(bytes)));
  }
}

class NativeSession implements Session {
  readonly #environment: Environment;
  readonly #handle: Pointer;
  readonly inputs: NameArray;
  readonly outputs: NameArray;
  readonly #inFlight = new Set<Promise<void>>();
  #closed = false;

  constructor(environment: Environment, model: Uint8Array, names: SessionNames, folder: string | undefined) {
    this.#environment = environment;
    this.inputs = new NameArray(names.inputs);
    this.outputs = new NameArray(names.outputs);
    const { api, env } = environment;
    const options = api.create("CreateSessionOptions");
    try {
      api.call("DisablePerSessionThreads", options);
      api.call("DisableMemPattern", options);
      api.call("SetSessionLogSeverityLevel", options, LOG_ERRORS_ONLY);
      api.call("AddSessionConfigEntry", options, "session.use_env_allocators", "1");
      if (folder !== undefined) api.call("AddSessionConfigEntry", options, EXTERNAL_FOLDER, folder);
      this.#handle = api.create("CreateSessionFromArray", env, model, model.byteLength, options);
    } finally {
      api.release("ReleaseSessionOptions", options);
    }
  }

  get inputNames(): readonly string[] {
    return this.inputs.names;
  }

  get outputNames(): readonly string[] {
    return this.outputs.names;
  }

  bind(inputs: readonly HostTensor[], outputs: readonly HostTensor[]): Binding {
    assert(!this.#closed, "bind on a closed session");
    return new NativeBinding(this.#environment, this, inputs, outputs);
  }

  /** Runs with prepared arrays of OrtValue. */
  async run(inputs: BigUint64Array, outputs: BigUint64Array): Promise<void> {
    if (this.#closed) throw new TesseraError("a program was run after it was closed");
    const { api } = this.#environment;
    const [ins, outs] = [this.inputs, this.outputs];
    const done = api.callAsync(
      "Run",
      this.#handle,
      0n,
      ins.pointers,
      inputs,
      ins.names.length,
      outs.pointers,
      outs.names.length,
      outputs,
    );
    this.#inFlight.add(done);
    try {
      await done;
    } finally {
      this.#inFlight.delete(done);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#inFlight);
    this.#environment.api.release("ReleaseSession", this.#handle);
  }
}

class NativeBinding implements Binding {
  readonly #api: OrtApi;
  readonly #session: NativeSession;
  /** Keeps the memory alive that the values point to. */
  readonly #tensors: readonly HostTensor[];
  readonly #values: Pointer[] = [];
  readonly #inputs: BigUint64Array;
  readonly #outputs: BigUint64Array;
  #running = 0;
  #released = false;

  constructor(
    { api, memory }: Environment,
    session: NativeSession,
    inputs: readonly HostTensor[],
    outputs: readonly HostTensor[],
  ) {
    this.#api = api;
    this.#session = session;
    this.#tensors = [...inputs, ...outputs];
    checkCount("input", session.inputNames, inputs);
    checkCount("output", session.outputNames, outputs);
    try {
      this.#inputs = pointerArray(inputs.map((tensor) => this.#value(memory, tensor)));
      this.#outputs = pointerArray(outputs.map((tensor) => this.#value(memory, tensor)));
    } catch (error) {
      this.release();
      throw error;
    }
  }

  async run(): Promise<void> {
    assert(!this.#released, "run of a released binding");
    this.#running++;
    try {
      await this.#session.run(this.#inputs, this.#outputs);
    } catch (error) {
      throw new TesseraError(`${messageOf(error)}\nfed: ${this.#describe()}`, { cause: error });
    } finally {
      this.#running--;
    }
  }

  release(): void {
    assert(this.#running === 0, "release of a binding while it runs");
    this.#released = true;
    for (const value of this.#values.splice(0)) this.#api.release("ReleaseValue", value);
  }

  #value(memory: Pointer, { dtype, shape, data }: HostTensor): Pointer {
    if (data.length !== sizeOf(shape)) {
      throw new ShapeError(
        `a tensor of shape [${shape}] needs ${sizeOf(shape)} elements, its buffer has ${data.length}`,
      );
    }
    const dims = new BigInt64Array(new ArrayBuffer(Math.max(shape.length, 1) * 8));
    dims.set(shape.map(BigInt));
    const value = this.#api.create(
      "CreateTensorWithDataAsOrtValue",
      memory,
      data,
      data.byteLength,
      dims,
      shape.length,
      onnxDType[dtype],
    );
    this.#values.push(value);
    return value;
  }

  #describe(): string {
    return this.#session.inputNames
      .map((name, i) => `${name} ${this.#tensors[i]!.dtype}[${this.#tensors[i]!.shape}]`)
      .join(", ");
  }
}

function checkCount(kind: string, names: readonly string[], tensors: readonly HostTensor[]): void {
  if (names.length !== tensors.length) {
    throw new ShapeError(
      `the program has ${names.length} ${kind}s (${names.join(", ")}), but ${tensors.length} were bound`,
    );
  }
}
