/** @file ONNX Runtime's stable C API through koffi: the few functions that Tessera calls, typed. */

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import koffi from "koffi";
import { TesseraError, UnsupportedError } from "../../base/errors.js";
import { loadLibrary } from "./native-library.js";

/** A native pointer; 0n is null. */
export type Pointer = bigint;

/**
 * Functions by their index in struct OrtApi (onnxruntime_c_api.h). The struct only ever grows at its end, so an index
 * is valid for every later version. `p` is a pointer, `i` an int, `z` a size, `s` a string, `o` a pointer that is
 * written; all return OrtStatus* but those marked "void".
 */
const functions = {
  CreateSessionFromArray: [8, "p p z p o"],
  Run: [9, "p p p p z p z p"],
  CreateSessionOptions: [10, "o"],
  DisableMemPattern: [17, "p"],
  SetSessionLogSeverityLevel: [22, "p i"],
  SetSessionGraphOptimizationLevel: [23, "p i"],
  CreateTensorAsOrtValue: [48, "p p z i o"],
  CreateTensorWithDataAsOrtValue: [49, "p p z p z i o"],
  CreateMemoryInfo: [68, "s i i i o"],
  CreateCpuMemoryInfo: [69, "i i o"],
  ReleaseEnv: [92, "p", "void"],
  ReleaseStatus: [93, "p", "void"],
  ReleaseMemoryInfo: [94, "p", "void"],
  ReleaseSession: [95, "p", "void"],
  ReleaseValue: [96, "p", "void"],
  ReleaseSessionOptions: [100, "p", "void"],
  CreateEnvWithGlobalThreadPools: [119, "i s p o"],
  DisablePerSessionThreads: [120, "p"],
  CreateThreadingOptions: [121, "o"],
  ReleaseThreadingOptions: [122, "p", "void"],
  AddSessionConfigEntry: [130, "p s s"],
  CreateAllocator: [131, "p p o"],
  ReleaseAllocator: [132, "p", "void"],
  CreateAndRegisterAllocator: [144, "p p p"],
  SetGlobalIntraOpNumThreads: [147, "p i"],
  SetGlobalSpinControl: [149, "p i"],
  CreateArenaCfg: [156, "z i i i o"],
  ReleaseArenaCfg: [157, "p", "void"],
  SessionOptionsAppendExecutionProvider: [216, "p s p p z"],
  CopyTensors: [386, "p p p p z"],
} as const satisfies Record<string, readonly [number, string, "void"?]>;

type FunctionName = keyof typeof functions;
type Argument = Pointer | number | string | ArrayBufferView | [Pointer | null];
type Native = { (...args: Argument[]): Pointer | null; async(...args: unknown[]): void };

const types = { p: "void *", i: "int", z: "size_t", s: "const char *", o: "_Out_ void **" } as const;

/** API version requested; any function above has been there since. */
const API_VERSION = 23;

export interface OrtApi {
  readonly version: string;
  /** Calls a function that returns a status. @throws TesseraError with ONNX Runtime's message. */
  call(name: FunctionName, ...args: Argument[]): void;
  /** The same for functions whose last argument is a pointer that they write. */
  create(name: FunctionName, ...args: Argument[]): Pointer;
  /** Calls a function on a thread of its own. */
  callAsync(name: FunctionName, ...args: Argument[]): Promise<void>;
  /** Calls a release function. */
  release(name: FunctionName, pointer: Pointer): void;
}

/** Path of the shared library inside the installed onnxruntime-node package. */
function libraryPath(): string {
  const names: Partial<Record<NodeJS.Platform, string>> = {
    linux: "libonnxruntime.so.1",
    darwin: "libonnxruntime.1.dylib",
    win32: "onnxruntime.dll",
  };
  const name = names[process.platform];
  if (!name)
    throw new UnsupportedError(`the native backend does not know ${process.platform}; use the "binding" backend`);
  const root = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
  return join(root, "bin", "napi-v6", process.platform, process.arch, name);
}

/** Loads the library that onnxruntime-node ships and resolves the functions. */
export function loadOrtApi(): OrtApi {
  const base = loadLibrary(libraryPath()).func("void *OrtGetApiBase()")() as Pointer;
  const field = (struct: Pointer, index: number): Pointer => koffi.decode(struct, index * 8, "void *") as Pointer;
  const getApi = koffi.decode(field(base, 0), koffi.proto("void *(uint32_t version)"));
  const getVersion = koffi.decode(field(base, 1), koffi.proto("const char *()"));
  const version = getVersion() as string;
  const api = getApi(API_VERSION) as Pointer | null;
  if (!api)
    throw new UnsupportedError(
      `ONNX Runtime ${version} does not offer C API version ${API_VERSION}; install 1.${API_VERSION} or newer`,
    );
  const resolve = ([index, signature, result]: readonly [number, string, "void"?]): Native => {
    const args = signature.split(" ").map((letter) => types[letter as keyof typeof types]);
    return koffi.decode(field(api, index), koffi.proto(`${result ?? "void *"} (${args.join(", ")})`)) as Native;
  };
  const native = Object.fromEntries(
    Object.entries(functions).map(([name, definition]) => [name, resolve(definition)]),
  ) as Record<FunctionName, Native>;
  const errorMessage = koffi.decode(field(api, 2), koffi.proto("const char *(void *status)"));
  const check = (status: Pointer | null): void => {
    if (!status) return;
    const message = errorMessage(status) as string;
    native.ReleaseStatus(status);
    throw new TesseraError(`ONNX Runtime: ${message}`);
  };
  return {
    version,
    call: (name, ...args) => check(native[name](...args)),
    create: (name, ...args) => {
      const slot: [Pointer | null] = [null];
      check(native[name](...args, slot));
      return slot[0]!;
    },
    callAsync: (name, ...args) =>
      new Promise((resolve, reject) => {
        native[name].async(...args, (error: unknown, status: Pointer | null) => {
          try {
            if (error) throw error;
            check(status);
            resolve();
          } catch (failure) {
            reject(failure);
          }
        });
      }),
    release: (name, pointer) => {
      native[name](pointer);
    },
  };
}
