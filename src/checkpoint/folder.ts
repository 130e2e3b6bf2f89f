/**
 * @file Training checkpoints: a folder per step, complete or absent, and checked when read.
 *
 * ```
 * <root>/step-00000123/state.json            state of the run; name, size and sha256 of every other file
 * <root>/step-00000123/<group>.safetensors   one per group of tensors: model, optimizer, …
 * <root>/best.json                           which step is marked best
 * ```
 * A root belongs to one run, which saves growing steps, one at a time.
 */

import { createHash, type Hash } from "node:crypto";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { CheckpointError, ConfigError } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import { blocks, createFolder, removeFolder, replaceFiles, writeDurably } from "./atomic.js";
import { ByteFile, ifThere } from "./byte-file.js";
import { encodeJson, type JsonValue, parseJsonAs } from "./json.js";
import { encodeSafetensors } from "./safetensors.js";
import { openSafetensors } from "./safetensors-file.js";
import { lookUp, type TensorSource } from "./tensor-source.js";

const stateName = "state.json";
const bestName = "best.json";
const groupPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const stepPattern = /^step-(\d{8,16})$/;
const verifyBlockBytes = 2 ** 20;

const fileSchema = z.object({
  group: z.string().regex(groupPattern),
  bytes: z.int().nonnegative(),
  sha256: z.string(),
});

const stateSchema = z.object({
  format: z.literal("tessera-checkpoint"),
  version: z.literal(1),
  step: z.int().nonnegative(),
  files: z.array(fileSchema),
  state: z.custom<JsonValue>((value) => value !== undefined, "missing"),
});

const bestSchema = z.object({ step: z.int().nonnegative() });

type FileRecord = z.infer<typeof fileSchema>;

export interface CheckpointContents {
  /** Tensors by group, such as model and optimizer; each group becomes one safetensors file. */
  readonly tensors: Readonly<Record<string, Iterable<readonly [string, HostTensor]>>>;
  /** Everything else that resuming needs: counters, generator states, data position. */
  readonly state: JsonValue;
}

export interface CheckpointLocation {
  readonly step: number;
  readonly path: string;
}

/** A checkpoint whose files were verified and are open. */
export class Checkpoint implements AsyncDisposable, CheckpointLocation {
  readonly step: number;
  readonly path: string;
  readonly state: JsonValue;
  readonly groups: ReadonlyMap<string, TensorSource>;

  constructor({ step, path }: CheckpointLocation, state: JsonValue, groups: ReadonlyMap<string, TensorSource>) {
    this.step = step;
    this.path = path;
    this.state = state;
    this.groups = groups;
  }

  /**
   * The tensors of one group.
   * @throws CheckpointError when there is no such group.
   */
  group(name: string): TensorSource {
    return lookUp(this.groups, name, this.path, "group");
  }

  async close(): Promise<void> {
    await Promise.all([...this.groups.values()].map((source) => source.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Saves a checkpoint, then removes old ones. It appears complete or not at all, whenever the process is killed. Tensors must not change
 * until the promise settles.
 * @param options.keep how many of the newest to keep, this one included (`Infinity`: all); the one marked best stays besides.
 * @returns the folder.
 * @throws CheckpointError when `root` holds this step or a later one (resume from it, or `rollBack` first), the state is not JSON,
 * or writing fails; whatever was there stays.
 */
export async function saveCheckpoint(
  root: string,
  step: number,
  contents: CheckpointContents,
  options: { readonly keep: number },
): Promise<string> {
  const { keep } = options;
  if (!(Number.isSafeInteger(step) && step >= 0)) throw new ConfigError(`expected a whole step from 0 on, got ${step}`);
  if (!(keep >= 1 && (Number.isInteger(keep) || keep === Number.POSITIVE_INFINITY))) {
    throw new ConfigError(`expected to keep a whole number of checkpoints, at least 1, or Infinity; got ${keep}`);
  }
  const newest = (await listCheckpoints(root)).at(-1);
  if (newest !== undefined && newest.step >= step) {
    throw new CheckpointError(
      `cannot save step ${step}: ${root} already holds step ${newest.step}; resume from it, roll back to an earlier step, or save elsewhere`,
    );
  }
  const path = join(root, folderName(step));
  await createFolder(path, (temporary) => fill(temporary, step, contents));
  await prune(root, keep);
  return path;
}

/** The checkpoints of a root, oldest first, found by name and not verified. None where the root does not exist. */
export async function listCheckpoints(root: string): Promise<CheckpointLocation[]> {
  const names = await ifThere(readdir(root), root);
  return (names ?? [])
    .flatMap((name) => {
      const digits = stepPattern.exec(name)?.[1];
      return digits === undefined ? [] : [{ step: Number(digits), path: join(root, name) }];
    })
    .sort((a, b) => a.step - b.step);
}

/**
 * Opens a checkpoint after comparing every file with its recorded size and checksum.
 * @throws CheckpointError naming the file, what was expected and what was found.
 */
export async function loadCheckpoint(path: string): Promise<Checkpoint> {
  const { step, files, state } = await readState(path);
  for (const file of files) await verify(path, file);
  const groups = new Map<string, TensorSource>();
  const checkpoint = new Checkpoint({ step, path }, state, groups);
  try {
    for (const { group } of files) groups.set(group, await openSafetensors(join(path, fileName(group))));
    return checkpoint;
  } catch (thrown) {
    await checkpoint.close();
    throw thrown;
  }
}

/**
 * Opens the newest checkpoint that is intact.
 * @returns it, or `undefined` when there is none, and the newer ones that were skipped with the reason. They stay on the disk: `rollBack`
 * removes them.
 */
export async function newestIntact(
  root: string,
): Promise<{ checkpoint: Checkpoint | undefined; skipped: { path: string; error: CheckpointError }[] }> {
  const skipped: { path: string; error: CheckpointError }[] = [];
  for (const { path } of (await listCheckpoints(root)).reverse()) {
    try {
      return { checkpoint: await loadCheckpoint(path), skipped };
    } catch (thrown) {
      if (!(thrown instanceof CheckpointError)) throw thrown;
      skipped.push({ path, error: thrown });
    }
  }
  return { checkpoint: undefined, skipped };
}

/**
 * Removes all checkpoints after `step`, newest first, the one marked best included: what a run does that resumes from `step`.
 */
export async function rollBack(root: string, step: number): Promise<void> {
  const later = (await listCheckpoints(root)).filter((checkpoint) => checkpoint.step > step);
  const best = await bestStep(root);
  if (best !== undefined && best > step) await rm(join(root, bestName));
  for (const { path } of later.reverse()) await removeFolder(path);
}

/**
 * Marks one checkpoint as the best so far, which keeps it from being pruned. Replaces the mark before.
 * @throws CheckpointError when there is no such step.
 */
export async function markBest(root: string, step: number): Promise<void> {
  const steps = (await listCheckpoints(root)).map((checkpoint) => checkpoint.step);
  if (!steps.includes(step)) {
    throw new CheckpointError(`cannot mark step ${step} as best: ${root} holds ${steps.join(", ") || "no checkpoint"}`);
  }
  await replaceFiles([[join(root, bestName), [new TextEncoder().encode(`${encodeJson({ step }, bestName)}\n`)]]]);
}

/** The checkpoint marked best, not verified; `undefined` when none is. */
export async function bestCheckpoint(root: string): Promise<CheckpointLocation | undefined> {
  const step = await bestStep(root);
  return (await listCheckpoints(root)).find((checkpoint) => checkpoint.step === step);
}

async function bestStep(root: string): Promise<number | undefined> {
  const path = join(root, bestName);
  const json = await ifThere(readFile(path), path);
  return json === undefined ? undefined : parseJsonAs(json, bestSchema, path).step;
}

async function prune(root: string, keep: number): Promise<void> {
  const best = await bestStep(root);
  for (const { step, path } of (await listCheckpoints(root)).slice(0, -keep)) {
    if (step !== best) await removeFolder(path);
  }
}

async function fill(folder: string, step: number, { tensors, state }: CheckpointContents): Promise<void> {
  const files: FileRecord[] = [];
  for (const [group, entries] of Object.entries(tensors)) {
    if (!groupPattern.test(group)) {
      throw new CheckpointError(
        `a group is named with letters, digits, ".", "_" and "-", got ${JSON.stringify(group)}`,
      );
    }
    files.push({ group, ...(await writeHashed(join(folder, fileName(group)), encodeSafetensors(entries))) });
  }
  const body = encodeJson({ format: "tessera-checkpoint", version: 1, step, files, state }, stateName);
  await writeDurably(join(folder, stateName), [sealed(body)]);
}

async function writeHashed(path: string, pieces: Iterable<Uint8Array>): Promise<Omit<FileRecord, "group">> {
  const hash = createHash("sha256");
  await writeDurably(path, hashed(pieces, hash));
  return { bytes: (await stat(path)).size, sha256: hash.digest("hex") };
}

/** Passes pieces on, block by block, so that hashing alternates with writing. */
function* hashed(pieces: Iterable<Uint8Array>, hash: Hash): Generator<Uint8Array> {
  for (const block of blocks(pieces)) {
    hash.update(block);
    yield block;
  }
}

/**
 * Puts the checksum of the text in front of it, inside its braces, so that a changed digit of the state is found too.
 * @param body a JSON object as `encodeJson` writes it.
 */
function sealed(body: string): Uint8Array {
  const rest = new TextEncoder().encode(`${body.slice(1)}\n`);
  return Buffer.concat([new TextEncoder().encode(sealOf(rest)), rest]);
}

function sealOf(rest: Uint8Array): string {
  return `{\n  "sha256": "${createHash("sha256").update(rest).digest("hex")}",`;
}

async function readState(folder: string): Promise<z.infer<typeof stateSchema>> {
  const path = join(folder, stateName);
  const json = await ifThere(readFile(path), path);
  if (json === undefined) throw new CheckpointError(`${folder}: expected a checkpoint, but it has no ${stateName}`);
  const sealLength = sealOf(new Uint8Array(0)).length;
  const found = json.subarray(0, sealLength).toString("latin1");
  const expected = sealOf(json.subarray(sealLength));
  if (found !== expected) {
    const [right, wrong] = [JSON.stringify(expected), JSON.stringify(found)];
    throw new CheckpointError(`${path} was changed or damaged: expected it to begin with ${right}, found ${wrong}`);
  }
  const state = parseJsonAs(json, stateSchema, path);
  if (stepPattern.test(basename(folder)) && basename(folder) !== folderName(state.step)) {
    throw new CheckpointError(`${path}: expected the step of its folder's name, found step ${state.step}`);
  }
  return state;
}

/** Compares a file with what was recorded when it was written, without ever holding more than a block of it. */
async function verify(folder: string, { group, bytes, sha256 }: FileRecord): Promise<void> {
  await using file = await ByteFile.open(join(folder, fileName(group)));
  if (file.bytes !== bytes) {
    throw new CheckpointError(`${file.path} is damaged: expected ${bytes} bytes, found ${file.bytes}`);
  }
  const hash = createHash("sha256");
  const block = new Uint8Array(Math.min(bytes, verifyBlockBytes));
  for (let at = 0; at < bytes; at += block.length) {
    const part = block.subarray(0, Math.min(block.length, bytes - at));
    await file.readInto(at, part);
    hash.update(part);
  }
  const found = hash.digest("hex");
  if (found !== sha256) throw new CheckpointError(`${file.path} is damaged: expected sha256 ${sha256}, found ${found}`);
}

function folderName(step: number): string {
  return `step-${String(step).padStart(8, "0")}`;
}

function fileName(group: string): string {
  return `${group}.safetensors`;
}
