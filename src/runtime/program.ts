/** @file Graphs compiled to programs that run on host tensors. */

import type { DType } from "../base/dtype.js";
import { equalBytes } from "../base/equal-bytes.js";
import { ConfigError, ShapeError } from "../base/errors.js";
import { byteSize, type HostTensor, zeros } from "../base/host-tensor.js";
import { type DimBindings, evaluateShape, type Shape } from "../graph/dim.js";
import type { Aval, Graph } from "../graph/tensor.js";
import { encodeModel, lower } from "../onnx/index.js";
import {
  type Backend,
  type BackendName,
  type BackendOptions,
  type Binding,
  type BoundTensor,
  backends,
  type DiskMemory,
  type Session,
} from "./backends/index.js";

/** Tensors by the name of a graph's input or output. */
export type Feeds = Readonly<Record<string, HostTensor>>;

/** The same, some of which may lie in the device's memory. */
export type BoundFeeds = Readonly<Record<string, BoundTensor>>;

/** What a program takes and gives. A graph is one. */
export interface Signature {
  readonly name: string;
  readonly inputs: Readonly<Record<string, Aval>>;
  readonly outputs: Readonly<Record<string, Aval>>;
}

/** A compiled graph. */
export class Program {
  constructor(
    readonly graph: Signature,
    private readonly session: Session,
    /** Where tensors may lie that leave RAM after each run. */
    private readonly memory?: DiskMemory,
  ) {}

  /**
   * Runs once. Outputs are written into the buffers of `into` where given and into new ones otherwise.
   * @throws ShapeError or ConfigError when a feed is missing, unknown or of another dtype or shape.
   */
  async run(feeds: Feeds, into: Feeds = {}): Promise<Record<string, HostTensor>> {
    const dims = bindDims(this.graph, feeds);
    const outputs = Object.fromEntries(
      Object.entries(this.graph.outputs).map(([name, { dtype, shape }]) => [
        name,
        into[name] ?? zeros(dtype, evaluateShape(shape, dims)),
      ]),
    );
    const binding = this.bind(feeds, outputs);
    try {
      await binding.run();
    } finally {
      binding.release();
    }
    return outputs;
  }

  /** Prepares repeated runs over the same buffers. Release it when done. */
  bind(feeds: BoundFeeds, into: BoundFeeds): Binding {
    const dims = bindDims(this.graph, feeds);
    for (const name of Object.keys(into)) {
      if (!(name in this.graph.outputs)) throw unknownName(this.graph, "output", name, this.graph.outputs);
    }
    const outputs = this.session.outputNames.map((name) => {
      const target = into[name];
      if (!target) throw new ConfigError(`program "${this.graph.name}": no buffer for output "${name}"`);
      const { dtype, shape } = this.graph.outputs[name]!;
      const expected = evaluateShape(shape, dims);
      if (target.dtype !== dtype || `${target.shape}` !== `${expected}`) {
        throw new ShapeError(
          `program "${this.graph.name}": output "${name}" is ${dtype}[${expected}], its buffer is ${target.dtype}[${target.shape}]`,
        );
      }
      return target;
    });
    const inputs = this.session.inputNames.map((name) => feeds[name]!);
    const binding = this.session.bind(inputs, outputs);
    return this.memory ? evicting(binding, this.memory, [...inputs, ...outputs].filter(isOnHost)) : binding;
  }

  close(): Promise<void> {
    return this.session.close();
  }
}

const isOnHost = (tensor: BoundTensor): tensor is HostTensor => "data" in tensor;

/** A binding after whose runs the tensors leave RAM, those that lie in files. */
function evicting(binding: Binding, memory: DiskMemory, tensors: readonly HostTensor[]): Binding {
  return {
    run: async () => {
      await binding.run();
      memory.evict(tensors);
    },
    release: () => binding.release(),
  };
}

const unknownName = (graph: Signature, kind: string, name: string, known: object): ConfigError =>
  new ConfigError(`program "${graph.name}" has no ${kind} "${name}"; it has: ${Object.keys(known).join(", ")}`);

/** Sizes of named dims, taken from the feeds, which are checked on the way. */
function bindDims(graph: Signature, feeds: BoundFeeds): DimBindings {
  for (const name of Object.keys(feeds)) {
    if (!(name in graph.inputs)) throw unknownName(graph, "input", name, graph.inputs);
  }
  const dims: Record<string, number> = {};
  for (const [name, { dtype, shape }] of Object.entries(graph.inputs)) {
    const feed = feeds[name];
    if (!feed) throw new ConfigError(`program "${graph.name}": input "${name}" (${dtype}[${shape}]) was not fed`);
    if (feed.dtype !== dtype || !matches(shape, feed.shape, dims)) {
      throw new ShapeError(
        `program "${graph.name}": input "${name}" is ${dtype}[${shape}], but ${feed.dtype}[${feed.shape}] was fed`,
      );
    }
  }
  return dims;
}

/** Whether sizes fit a shape; binds names seen for the first time. */
function matches(shape: Shape, sizes: readonly number[], dims: Record<string, number>): boolean {
  return (
    shape.length === sizes.length &&
    shape.every((dim, i) => {
      if (typeof dim === "number") return dim === sizes[i];
      dims[dim] ??= sizes[i]!;
      return dims[dim] === sizes[i];
    })
  );
}

export interface RuntimeOptions extends BackendOptions {
  /** Backend by name, or one that is already open. Default "native". */
  readonly backend?: BackendName | Backend;
}

/** Models up to this size are remembered, so that compiling an equal graph again costs nothing; larger ones hold weights. */
const REMEMBERED_BYTES = 2 ** 20;

interface Compiled {
  readonly model: Uint8Array;
  readonly session: Promise<Session>;
}

/** Tensors below this size stay in RAM: they are many, and small in all. */
const PAGED_BYTES = 2 ** 18;

/** Sessions of one backend. */
class Sessions {
  readonly byGraph = new WeakMap<Graph, Promise<Session>>();
  readonly remembered = new Map<number, Compiled[]>();
  readonly all: Promise<Session>[] = [];
}

/** Where large tensors lie. */
interface Paging {
  readonly memory: DiskMemory;
  /** Bytes of the smallest that does. */
  readonly fromBytes: number;
}

/** Compiles graphs, each distinct one once. */
export class Runtime {
  private constructor(
    readonly backend: Backend,
    private readonly sessions: Sessions,
    private readonly pages?: Paging,
  ) {}

  static async open({ backend = "native", ...options }: RuntimeOptions = {}): Promise<Runtime> {
    return new Runtime(typeof backend === "string" ? await backends[backend](options) : backend, new Sessions());
  }

  /**
   * The same sessions, for tensors that lie in files: after each run of a program, those that it read or wrote leave RAM, so
   * that the process holds what one program needs. Closing either closes both.
   * @param fromBytes smallest tensor that `zeros` and `keep` put into a file. Default 256 KB.
   */
  paging(memory: DiskMemory, fromBytes = PAGED_BYTES): Runtime {
    return new Runtime(this.backend, this.sessions, { memory, fromBytes });
  }

  /** Zeros where large tensors are kept. */
  zeros(dtype: DType, shape: readonly number[]): HostTensor {
    const isPaged = this.pages && byteSize(dtype, shape) >= this.pages.fromBytes;
    return isPaged ? this.pages.memory.allocate(dtype, shape) : zeros(dtype, shape);
  }

  /** The tensor, or its copy where large tensors are kept. */
  keep(tensor: HostTensor): HostTensor {
    if (!this.pages || tensor.data.byteLength < this.pages.fromBytes) return tensor;
    const kept = this.pages.memory.copy(tensor);
    this.pages.memory.evict([kept]);
    return kept;
  }

  /** Lets those of the tensors that lie in files leave RAM, after work outside of programs. */
  evict(tensors: Iterable<HostTensor>): void {
    this.pages?.memory.evict(tensors);
  }

  /** Does work on tensors outside of programs, large ones leaving RAM meanwhile where they lie in files. */
  outside<T>(work: () => Promise<T>): Promise<T> {
    return this.pages ? this.pages.memory.evicting(work) : work();
  }

  /** Compiles a graph; the same graph, or one that lowers to the same model, shares the session. */
  async compile(graph: Graph): Promise<Program> {
    const session = this.sessions.byGraph.get(graph) ?? this.#load(graph);
    this.sessions.byGraph.set(graph, session);
    return new Program(graph, await session, this.pages?.memory);
  }

  /**
   * A program from an ONNX model that was made before. `signature` says what it takes and gives; its weights may lie in
   * files of `folder`.
   */
  async load(model: Uint8Array, signature: Signature, folder?: string): Promise<Program> {
    const names = { inputs: Object.keys(signature.inputs), outputs: Object.keys(signature.outputs) };
    const session = this.backend.load(model, names, folder);
    this.sessions.all.push(session);
    return new Program(signature, await session, this.pages?.memory);
  }

  #load(graph: Graph): Promise<Session> {
    const model = lower(graph, this.backend.device);
    const bytes = encodeModel(model);
    const same = bytes.byteLength > REMEMBERED_BYTES ? [] : this.#similar(bytes);
    const known = same.find((other) => equalBytes(other.model, bytes));
    if (known) return known.session;
    const names = { inputs: model.inputs.map(({ name }) => name), outputs: model.outputs.map(({ name }) => name) };
    const session = this.backend.load(bytes, names);
    this.sessions.all.push(session);
    same.push({ model: bytes, session });
    return session;
  }

  /** Remembered models with the same checksum. */
  #similar(bytes: Uint8Array): Compiled[] {
    const key = checksum(bytes);
    const same = this.sessions.remembered.get(key) ?? [];
    this.sessions.remembered.set(key, same);
    return same;
  }

  /** Frees all programs, then the backend. */
  async close(): Promise<void> {
    this.sessions.remembered.clear();
    for (const session of await Promise.all(this.sessions.all.splice(0))) await session.close();
    await this.backend.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** FNV-1a. */
function checksum(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}
