/** @file A WebAssembly module put together from instructions, for loops that need vector instructions; WebAssembly 2.0, chapter 5. */

declare global {
  /** What is used here of what every runtime has and Node's types lack. */
  namespace WebAssembly {
    class Module {
      constructor(bytes: Uint8Array);
    }
    class Instance {
      constructor(module: Module);
      readonly exports: object;
    }
    interface Memory {
      readonly buffer: ArrayBuffer;
    }
  }
}

/** Bytes of instructions, one after the other. */
export type Code = readonly number[];

/** A function of numbers without a result. Parameters and locals share one numbering, parameters first. */
export interface WasmFunction {
  readonly name: string;
  /** All of them 32-bit integers. */
  readonly numParams: number;
  readonly numIntegers: number;
  /** Locals of 128 bits. */
  readonly numVectors: number;
  readonly body: Code;
}

const pageBytes = 65536;
const [integer, vector] = [0x7f, 0x7b];

/** Unsigned LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}

/** Signed LEB128 of a number of 32 bits. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7) {
    if (rest >= -64 && rest < 64) return [...bytes, rest & 127];
    bytes.push((rest & 127) | 128);
  }
}

const list = (items: readonly Code[]): number[] => [...unsigned(items.length), ...items.flat()];
const section = (id: number, items: readonly Code[]): number[] => {
  const content = list(items);
  return [id, ...unsigned(content.length), ...content];
};
const named = (name: string, kind: number, index: number): Code => {
  const bytes = [...new TextEncoder().encode(name)];
  return [...unsigned(bytes.length), ...bytes, kind, ...unsigned(index)];
};

/** Stretches of memory by name, each with its length in bytes. */
export type Layout<Name extends string> = Readonly<Record<Name, number>>;

/** Where stretches begin that lie one after the other, each at a multiple of 16, and where the last one ends. */
export function placesOf<Name extends string>(layout: Layout<Name>): Record<Name | "end", number> {
  const places: Record<string, number> = {};
  let end = 0;
  for (const [name, length] of Object.entries<number>(layout)) {
    places[name] = end;
    end += Math.ceil(length / 16) * 16;
  }
  return { ...places, end } as Record<Name | "end", number>;
}

/** The functions, ready to be called, and a memory of so many bytes at least. */
export function instantiate<Functions extends object>(
  functions: readonly WasmFunction[],
  memoryBytes: number,
): Functions & { readonly memory: WebAssembly.Memory } {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasmModule(functions, memoryBytes)));
  return exports as Functions & { readonly memory: WebAssembly.Memory };
}

/** A module with these functions and a memory of its own, exported as `memory`. */
function wasmModule(functions: readonly WasmFunction[], memoryBytes: number): Uint8Array {
  const types = functions.map(({ numParams }) => [0x60, ...list(Array(numParams).fill([integer])), 0]);
  const bodies = functions.map(({ numIntegers, numVectors, body }) => {
    const locals = list([
      [...unsigned(numIntegers), integer],
      [...unsigned(numVectors), vector],
    ]);
    return [...unsigned(locals.length + body.length + 1), ...locals, ...body, 0x0b];
  });
  const exported = functions.map(({ name }, i) => named(name, 0, i));
  const [magic, version] = [
    [0x00, 0x61, 0x73, 0x6d],
    [1, 0, 0, 0],
  ];
  return Uint8Array.from([
    ...magic,
    ...version,
    ...section(1, types),
    ...section(
      3,
      functions.map((_, i) => unsigned(i)),
    ),
    ...section(5, [[0, ...unsigned(Math.ceil(memoryBytes / pageBytes))]]),
    ...section(7, [named("memory", 2, 0), ...exported]),
    ...section(10, bodies),
  ]);
}

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)];
export const constant = (value: number): Code => [0x41, ...signed(value)];
export const plus = (a: Code, b: Code): Code => [...a, ...b, 0x6a];
export const advance = (local: number, by: number): Code => set(local, plus(get(local), constant(by)));
export const storeInteger = (at: Code, value: Code): Code => [...at, ...value, 0x36, 2, 0];

/** Repeats `body` as often as the local says, which is at least once and is counted down to 0. */
export const repeat = (local: number, body: Code): Code => [
  ...[0x03, 0x40],
  ...body,
  ...plus(get(local), constant(-1)),
  ...[0x22, ...unsigned(local), 0x0d, 0, 0x0b],
];

const simd = (opcode: number, ...immediates: number[]): Code => [0xfd, ...unsigned(opcode), ...immediates];
const binary =
  (opcode: number) =>
  (a: Code, b: Code): Code => [...a, ...b, ...simd(opcode)];
const unary =
  (opcode: number) =>
  (a: Code): Code => [...a, ...simd(opcode)];

export const load = (at: Code, offset = 0): Code => [...at, ...simd(0x00, 0, ...unsigned(offset))];
export const store = (at: Code, value: Code, offset = 0): Code => [
  ...at,
  ...value,
  ...simd(0x0b, 0, ...unsigned(offset)),
];
export const splatBytes = (byte: number): Code => simd(0x0c, ...Array<number>(16).fill(byte));
/** The bytes of `a` at the 16 places that `b` names. */
export const swizzle = binary(0x0e);
export const and = binary(0x4e);
export const addBytes = binary(0x6e);
export const addShorts = binary(0x8e);
export const addIntegers = binary(0xae);
/** Sums of pairs of products of signed 16-bit numbers. */
export const dotShorts = binary(0xba);
export const shiftShortsRight = (a: Code, bits: number): Code => [...a, ...constant(bits), ...simd(0x8d)];
export const lowUnsigned = unary(0x89);
export const highUnsigned = unary(0x8a);
export const lowSigned = unary(0x87);
export const highSigned = unary(0x88);
export const lane = (a: Code, index: number): Code => [...a, ...simd(0x1b, index)];
