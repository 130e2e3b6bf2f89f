/** @file What a benchmark is, and how its figures are printed: a table for people, one JSON line for programs. */

import { execFile } from "node:child_process";
import { cpus, totalmem } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { build } from "vite";

/** One measured number. */
export interface Figure {
  readonly figure: string;
  readonly unit: string;
  /** Median of ours. */
  readonly ours: number;
  /** Median of the peer in the same run, where there is one. */
  readonly peer?: number;
  readonly peerName?: string;
  /** ours / peer. */
  readonly ratio?: number;
  /** The number that was set as a goal, for `ratio` where there is a peer and for `ours` otherwise. */
  readonly goal?: number;
  /** Whether the goal was met in this run. */
  readonly holds?: boolean;
}

/** A benchmark: one file and one registry line. Progress goes to `log`, never to standard output. */
export interface Benchmark {
  readonly name: string;
  readonly about: string;
  run(context: BenchContext): Promise<Figure[]>;
}

export interface BenchContext {
  log(message: string): void;
  /** Python with PyTorch for peers, from TESSERA_PEER_PYTHON; undefined skips them. */
  readonly peerPython: string | undefined;
  /** Arguments after the benchmark's name that are not options of the harness. */
  readonly args: readonly string[];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A figure with a peer: the goal is for ours / peer, which must be at least (or at most) it. */
export function compared(
  figure: string,
  unit: string,
  ours: number,
  peer: { readonly value: number; readonly name: string },
  goal?: { readonly atLeast: number } | { readonly atMost: number },
): Figure {
  const ratio = ours / peer.value;
  return { figure, unit, ours, peer: peer.value, peerName: peer.name, ratio, ...judged(ratio, goal) };
}

/** A figure on its own. */
export function plain(
  figure: string,
  unit: string,
  ours: number,
  goal?: { readonly atLeast: number } | { readonly atMost: number },
): Figure {
  return { figure, unit, ours, ...judged(ours, goal) };
}

function judged(
  value: number,
  goal: { readonly atLeast: number } | { readonly atMost: number } | undefined,
): { goal?: number; holds?: boolean } {
  if (!goal) return {};
  return "atLeast" in goal
    ? { goal: goal.atLeast, holds: value >= goal.atLeast }
    : { goal: goal.atMost, holds: value <= goal.atMost };
}

/** Runs a program that prints one JSON line last, and parses it. */
export async function runJson<T>(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<T> {
  const { stdout } = await promisify(execFile)(command, [...args], { env, maxBuffer: 2 ** 26 });
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as T;
}

/**
 * Runs a module of ours in a process of its own and gives the JSON of its last line. It runs compiled into one file, as
 * users run the package: a loader of TypeScript would add 75 MB to its memory.
 */
export async function runModule<T>(file: string, ...args: string[]): Promise<T> {
  const outDir = join("node_modules", ".tessera-bench", basename(file, ".ts"));
  const output = { entryFileNames: "main.mjs", codeSplitting: false };
  await build({ configFile: false, logLevel: "error", build: { ssr: file, outDir, rolldownOptions: { output } } });
  return runJson(process.execPath, [join(outDir, "main.mjs"), ...args]);
}

/** What the figures were measured on. */
export function machine(): Record<string, string | number> {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
  };
}

const shown = (value: number): string =>
  Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 1 ? value.toFixed(2) : value.toPrecision(3);

/** Lines of a table. */
export function table(figures: readonly Figure[]): string {
  const header = ["figure", "unit", "ours", "peer", "", "ratio", "goal", "holds"];
  const rows = figures.map((f) => [
    f.figure,
    f.unit,
    shown(f.ours),
    f.peer === undefined ? "" : shown(f.peer),
    f.peerName ?? "",
    f.ratio === undefined ? "" : shown(f.ratio),
    f.goal === undefined ? "" : shown(f.goal),
    f.holds === undefined ? "" : f.holds ? "yes" : "NO",
  ]);
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  return [header, ...rows]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
