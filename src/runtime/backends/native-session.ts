/** @file Sessions and bindings of ONNX Runtime's C API, and the environment that they share. */

import koffi from "koffi";
import { assert, messageOf, ShapeError, TesseraError } from "../../base/errors.js";
import { type HostTensor, sizeOf } from "../../base/host-tensor.js";
import { onnxDType } from "../../graph/onnx-dtype.js";
import { type Binding, type BoundTensor, EXTERNAL_FOLDER, type Session, type SessionNames } from "./backend.js";
import type { OrtApi, Pointer } from "./ort-api.js";

const LOG_ERRORS_ONLY = 3;
const CPU_ARENA = 1;
const DEFAULT_MEMORY = 0;
/** Grow the arena by what is asked for, not by powers of two: the peak is what training runs out of. */
const SAME_AS_REQUESTED = 1;
const RUNTIME_DEFAULT = -1;

/** What all sessions share: one thread pool and one arena, so that many programs cost no more than one. */
export interface Environment {
  readonly api: OrtApi;
  readonly env: Pointer;
  readonly memory: Pointer;
  readonly sessions: Set<NativeSession>;
  /** What runs operators before the CPU does. */
  readonly provider: Provider | undefined;
}

/** An execution provider by ONNX Runtime's name for it. */
export interface Provider {
  readonly name: string;
  /** Does work when all work before it is done: one device is not shared by runs. */
  inTurn(work: () => Promise<void>): Promise<void>;
}

export function createEnvironment(api: OrtApi, numThreads: number, provider?: Provider): Environment {
  const threading = api.create("CreateThreadingOptions");
  api.call("SetGlobalIntraOpNumThreads", threading, numThreads);
  const env = api.create("CreateEnvWithGlobalThreadPools", LOG_ERRORS_ONLY, "tessera", threading);
  api.release("ReleaseThreadingOptions", threading);
  const memory = api.create("CreateCpuMemoryInfo", CPU_ARENA, DEFAULT_MEMORY);
  const arena = api.create("CreateArenaCfg", 0, SAME_AS_REQUESTED, RUNTIME_DEFAULT, RUNTIME_DEFAULT);
  api.call("CreateAndRegisterAllocator", env, memory, arena);
  api.release("ReleaseArenaCfg", arena);
  return { api, env, memory, sessions: new Set(), provider };
}

/** Closes the sessions that are open, then frees what they shared. */
export async function closeEnvironment({ api, env, memory, sessions }: Environment): Promise<void> {
  await Promise.all([...sessions].map((session) => session.close()));
  api.release("ReleaseMemoryInfo", memory);
  api.release("ReleaseEnv", env);
}

/** A NUL-terminated string outside the JavaScript heap. */
function cString(text: string): Uint8Array {
  const encoded = new TextEncoder().encode(text);
  const bytes = new Uint8Array(new ArrayBuffer(encoded.length + 1));
  bytes.set(encoded);
  return bytes;
}

/** An array of pointers outside the JavaScript heap. */
export function pointerArray(pointers: readonly Pointer[]): BigUint64Array {
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

/** A model made ready to run. */
export class NativeSession implements Session {
  readonly #environment: Environment;
  readonly #handle: Pointer;
  readonly inputs: NameArray;
  readonly outputs: NameArray;
  readonly #inFlight = new Set<Promise<void>>();
  #closed = false;

  constructor(environment: Environment, model: Uint8Array, names: SessionNames, folder?: string) {
    this.#environment = environment;
    this.inputs = new NameArray(names.inputs);
    this.outputs = new NameArray(names.outputs);
    const { api, env, provider } = environment;
    const options = api.create("CreateSessionOptions");
    try {
      api.call("DisablePerSessionThreads", options);
      api.call("DisableMemPattern", options);
      api.call("SetSessionLogSeverityLevel", options, LOG_ERRORS_ONLY);
      api.call("AddSessionConfigEntry", options, "session.use_env_allocators", "1");
      if (folder !== undefined) api.call("AddSessionConfigEntry", options, EXTERNAL_FOLDER, folder);
      if (provider) api.call("SessionOptionsAppendExecutionProvider", options, provider.name, 0n, 0n, 0);
      this.#handle = api.create("CreateSessionFromArray", env, model, model.byteLength, options);
    } finally {
      api.release("ReleaseSessionOptions", options);
    }
    environment.sessions.add(this);
  }

  /** Pointer to the OrtSession. */
  get handle(): Pointer {
    return this.#handle;
  }

  get inputNames(): readonly string[] {
    return this.inputs.names;
  }

  get outputNames(): readonly string[] {
    return this.outputs.names;
  }

  bind(inputs: readonly BoundTensor[], outputs: readonly BoundTensor[]): Binding {
    assert(!this.#closed, "bind on a closed session");
    return new NativeBinding(this.#environment, this, inputs, outputs);
  }

  /** Runs with prepared arrays of OrtValue. */
  async run(inputs: BigUint64Array, outputs: BigUint64Array): Promise<void> {
    if (this.#closed) throw new TesseraError("a program was run after it was closed");
    const { api, provider } = this.#environment;
    const [ins, outs] = [this.inputs, this.outputs];
    const run = (): Promise<void> =>
      api.callAsync(
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
    const done = provider ? provider.inTurn(run) : run();
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
    this.#environment.sessions.delete(this);
    this.#environment.api.release("ReleaseSession", this.#handle);
  }
}

class NativeBinding implements Binding {
  readonly #api: OrtApi;
  readonly #session: NativeSession;
  /** Keeps the memory alive that the values point to. */
  readonly #tensors: readonly BoundTensor[];
  readonly #values: Pointer[] = [];
  readonly #inputs: BigUint64Array;
  readonly #outputs: BigUint64Array;
  #running = 0;
  #released = false;

  constructor(
    { api, memory }: Environment,
    session: NativeSession,
    inputs: readonly BoundTensor[],
    outputs: readonly BoundTensor[],
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

  #value(memory: Pointer, tensor: BoundTensor): Pointer {
    if ("handle" in tensor) return tensor.handle;
    const value = hostValue(this.#api, memory, tensor);
    this.#values.push(value);
    return value;
  }

  #describe(): string {
    return this.#session.inputNames
      .map((name, i) => `${name} ${this.#tensors[i]!.dtype}[${this.#tensors[i]!.shape}]`)
      .join(", ");
  }
}

/** The tensor's memory as an OrtValue, to be released before it. */
export function hostValue(api: OrtApi, memory: Pointer, { dtype, shape, data }: HostTensor): Pointer {
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(`a tensor of shape [${shape}] needs ${sizeOf(shape)} elements, its buffer has ${data.length}`);
  }
  const [dims, type] = [int64Array(shape), onnxDType[dtype]];
  return api.create("CreateTensorWithDataAsOrtValue", memory, data, data.byteLength, dims, shape.length, type);
}

/** A shape outside the JavaScript heap. */
export function int64Array(shape: readonly number[]): BigInt64Array {
  const dims = new BigInt64Array(new ArrayBuffer(Math.max(shape.length, 1) * 8));
  dims.set(shape.map(BigInt));
  return dims;
}

function checkCount(kind: string, names: readonly string[], tensors: readonly BoundTensor[]): void {
  if (names.length !== tensors.length) {
    throw new ShapeError(
      `the program has ${names.length} ${kind}s (${names.join(", ")}), but ${tensors.length} were bound`,
    );
  }
}
