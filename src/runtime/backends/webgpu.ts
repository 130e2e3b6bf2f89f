/** @file The WebGPU execution provider of ONNX Runtime, through its C API: tensors may stay on the device from run to run. */

import { availableParallelism } from "node:os";
import type { DType } from "../../base/dtype.js";
import { messageOf, ShapeError, UnsupportedError } from "../../base/errors.js";
import type { HostTensor } from "../../base/host-tensor.js";
import { onnxDType } from "../../graph/onnx-dtype.js";
import { graph } from "../../graph/tensor.js";
import { encodeModel, lower } from "../../onnx/index.js";
import type { Backend, BackendOptions, DeviceMemory, DeviceTensor } from "./backend.js";
import {
  closeEnvironment,
  createEnvironment,
  type Environment,
  hostValue,
  int64Array,
  NativeSession,
  pointerArray,
} from "./native-session.js";
import { loadOrtApi, type Pointer } from "./ort-api.js";

/** The provider's name for its memory. */
const MEMORY = "WebGPU_Buf";
const DEVICE_ALLOCATOR = 0;
const DEFAULT_MEMORY = 0;

/** One thing after the other. */
class Turns {
  #last: Promise<void> = Promise.resolve();

  take(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}

/**
 * Opens the first adapter that is found. Operators without a WebGPU kernel run on the CPU, with `numThreads`.
 * @throws UnsupportedError with the runtime's words where there is no adapter, or no provider for this platform.
 */
export async function openWebGpu({ numThreads = availableParallelism() }: BackendOptions = {}): Promise<Backend> {
  const api = loadOrtApi();
  const turns = new Turns();
  const inTurn = (work: () => Promise<void>): Promise<void> => turns.take(work);
  const environment = createEnvironment(api, numThreads, { name: "WebGPU", inTurn });
  try {
    const memory = new WebGpuMemory(environment, inTurn);
    return {
      name: "webgpu",
      device: "webgpu",
      version: api.version,
      numThreads,
      memory,
      load: async (model, names, folder) => new NativeSession(environment, model, names, folder),
      async close() {
        memory.close();
        await closeEnvironment(environment);
      },
    };
  } catch (error) {
    await closeEnvironment(environment);
    // of a failed check, what it says after the check itself
    const reason = messageOf(error).split(" was false. ").at(-1)!.trim();
    throw new UnsupportedError(
      `WebGPU: no adapter could be opened: ${reason}. It takes a GPU with a driver for Vulkan (with libvulkan.so.1), Metal or Direct3D 12; without one, use the CPU`,
      { cause: error },
    );
  }
}

class WebGpuMemory implements DeviceMemory {
  readonly #allocator: Pointer;

  /** Allocators are a session's: this one's is kept open until the backend is closed. */
  constructor(
    private readonly environment: Environment,
    private readonly inTurn: (work: () => Promise<void>) => Promise<void>,
  ) {
    const { api } = environment;
    const nothing = graph("nothing", { x: { dtype: "float32", shape: [1] } }, ({ x }) => ({ y: x! }));
    const session = new NativeSession(environment, encodeModel(lower(nothing)), { inputs: ["x"], outputs: ["y"] });
    const memory = api.create("CreateMemoryInfo", MEMORY, DEVICE_ALLOCATOR, 0, DEFAULT_MEMORY);
    try {
      this.#allocator = api.create("CreateAllocator", session.handle, memory);
    } finally {
      api.release("ReleaseMemoryInfo", memory);
    }
  }

  allocate(dtype: DType, shape: readonly number[]): DeviceTensor {
    const { api } = this.environment;
    const type = onnxDType[dtype];
    const handle = api.create("CreateTensorAsOrtValue", this.#allocator, int64Array(shape), shape.length, type);
    return { dtype, shape, handle, release: () => api.release("ReleaseValue", handle) };
  }

  write(from: HostTensor, into: DeviceTensor): Promise<void> {
    return this.#copy(from, into, (host) => [host, into.handle]);
  }

  read(from: DeviceTensor, into: HostTensor): Promise<void> {
    return this.#copy(into, from, (host) => [from.handle, host]);
  }

  close(): void {
    this.environment.api.release("ReleaseAllocator", this.#allocator);
  }

  async #copy(host: HostTensor, device: DeviceTensor, order: (value: Pointer) => [Pointer, Pointer]): Promise<void> {
    if (host.dtype !== device.dtype || `${host.shape}` !== `${device.shape}`) {
      throw new ShapeError(
        `a copy between device and host: ${device.dtype}[${device.shape}] there, ${host.dtype}[${host.shape}] here`,
      );
    }
    const { api, env, memory } = this.environment;
    await this.inTurn(async () => {
      const value = hostValue(api, memory, host);
      try {
        const [from, to] = order(value).map((pointer) => pointerArray([pointer]));
        await api.callAsync("CopyTensors", env, from!, to!, 0n, 1);
      } finally {
        api.release("ReleaseValue", value);
      }
    });
  }
}
