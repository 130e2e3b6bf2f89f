/** @file Models and data sets of the Hugging Face hub, into the cache that all its libraries share. */

import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { CheckpointError, ConfigError } from "../base/errors.js";
import { ifThere } from "./byte-file.js";
import { checkedPath, isRepoName, RepoCache, type RepoKind } from "./hub/cache.js";
import type { HubClient } from "./hub/client.js";
import { downloadBlob, type HubFile } from "./hub/download.js";
import { filesBesideWeights, matchingFiles, rowFiles, weightFiles } from "./hub/select.js";

export interface PullProgress {
  /** The file that is being downloaded. */
  readonly path: string;
  /** Bytes of all files so far, those that were in the cache included. */
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface PullOptions {
  /** Branch, tag or commit. Default `main`. A commit pins the contents for good. */
  readonly revision?: string;
  /** Names of files, in which `*` stands for any characters. Default: of a model config, tokenizer and weights (safetensors, else the only GGUF file), of a data set JSON and JSONL. */
  readonly files?: readonly string[];
  /** Default: `HF_HUB_CACHE`, else `HF_HOME/hub`, else `~/.cache/huggingface/hub`, as in Hugging Face's libraries. */
  readonly cacheDir?: string;
  /** Use only what is in the cache. Default: whether `HF_HUB_OFFLINE` is 1. */
  readonly offline?: boolean;
  /** Access token (`hf_…`) for gated and private models. */
  readonly token?: string;
  readonly onProgress?: (progress: PullProgress) => void;
  /** Default: `HF_ENDPOINT`, else https://huggingface.co. */
  readonly hubUrl?: string;
  /** Wait before a broken download is continued, in milliseconds; doubles with every failure in a row. Default 500. */
  readonly retryDelayMs?: number;
}

/** A model or a data set in the cache. */
export interface PulledModel {
  /** The snapshot: a folder as the repository has it. */
  readonly folder: string;
  readonly commit: string;
  /** Paths inside the folder that were asked for. */
  readonly files: readonly string[];
}

/**
 * Downloads a model, or what is missing of it. Broken downloads continue where they stopped; every file is kept only when its size and hash
 * are what the hub lists. Pickled weights are never downloaded.
 * @param repo `org/name`.
 * @throws ConfigError for a name or revision that cannot be one; UnsupportedError when there are only pickled weights; CheckpointError when
 * the hub cannot be reached, refuses, or something is missing.
 */
export function pull(repo: string, options: PullOptions = {}): Promise<PulledModel> {
  return pullRepo(repo, "model", options);
}

/**
 * Downloads a data set, or what is missing of it, as `pull` does a model.
 * @throws UnsupportedError when it has neither JSON nor JSONL and no files are asked for; else as `pull`.
 */
export function pullDataset(repo: string, options: PullOptions = {}): Promise<PulledModel> {
  return pullRepo(repo, "dataset", options);
}

async function pullRepo(repo: string, kind: RepoKind, options: PullOptions): Promise<PulledModel> {
  const { revision = "main", cacheDir = defaultCacheDir(), offline = process.env.HF_HUB_OFFLINE === "1" } = options;
  const cache = new RepoCache(cacheDir, repo, kind);
  if (!/^[\w][\w./-]*$/.test(revision))
    throw new ConfigError(`expected a branch, tag or commit, got ${JSON.stringify(revision)}`);
  checkedPath(revision);
  return offline ? fromCache(repo, kind, revision, cache, options) : fromHub(repo, kind, revision, cache, options);
}

/**
 * The local path of a model: a path that exists, or a model of the hub as `org/name` or `org/name@revision`, which is pulled.
 * @throws CheckpointError when it is neither, and for what `pull` throws.
 */
export async function resolveModel(nameOrPath: string, options: PullOptions = {}): Promise<string> {
  if (await ifThere(stat(nameOrPath), nameOrPath)) return nameOrPath;
  const [repo = "", revision, ...rest] = nameOrPath.split("@");
  if (!repo.includes("/") || !isRepoName(repo) || revision === "" || rest.length > 0) {
    throw new CheckpointError(
      `${nameOrPath}: there is no such file or folder, and it is not a model of the hub (org/name or org/name@revision)`,
    );
  }
  return (await pull(repo, { ...options, ...(revision !== undefined && { revision }) })).folder;
}

/**
 * The local path of data: a path that exists, or a data set of the hub as `hf:org/name` or `hf:org/name@revision`, which is
 * pulled. Its folder holds only files of rows that were pulled.
 * @throws CheckpointError when it is neither, and for what `pullDataset` throws.
 */
export async function resolveDataset(nameOrPath: string, options: PullOptions = {}): Promise<string> {
  if (await ifThere(stat(nameOrPath), nameOrPath)) return nameOrPath;
  const [, repo = "", revision] = /^hf:([^@]+)(?:@([^@]+))?$/.exec(nameOrPath) ?? [];
  if (!isRepoName(repo)) {
    throw new CheckpointError(
      `${nameOrPath}: there is no such file or folder, and it is not a data set of the hub (hf:org/name or hf:org/name@revision)`,
    );
  }
  return (await pullDataset(repo, { ...options, ...(revision !== undefined && { revision }) })).folder;
}

function defaultCacheDir(): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = process.env;
  const home = HF_HOME ?? join(XDG_CACHE_HOME ?? join(homedir(), ".cache"), "huggingface");
  return HF_HUB_CACHE ?? HUGGINGFACE_HUB_CACHE ?? join(home, "hub");
}

async function fromHub(
  repo: string,
  kind: RepoKind,
  revision: string,
  cache: RepoCache,
  options: PullOptions,
): Promise<PulledModel> {
  // the client is loaded when it is needed: reading local models is not to wait for it
  const { HubClient } = await import("./hub/client.js");
  const { token, hubUrl = process.env.HF_ENDPOINT } = options;
  const client = new HubClient(repo, kind, {
    ...(token !== undefined && { accessToken: token }),
    ...(hubUrl !== undefined && { hubUrl }),
  });
  const at = `${repo}@${revision}`;
  const commit = await client.commitOf(revision);
  const listed = await client.files(commit);
  const paths = [...listed.keys()];
  const fetching = new Fetching(client, commit, listed, cache, options);
  if (options.files) await fetching.fetch(matchingFiles(paths, options.files, at));
  else if (kind === "dataset") await fetching.fetch(rowFiles(paths, at));
  else {
    await fetching.fetch(filesBesideWeights(paths));
    const readIndex = async (path: string): Promise<Uint8Array> => {
      await fetching.fetch([path]);
      return readFile(join(cache.snapshot(commit), path));
    };
    await fetching.fetch(await weightFiles(paths, readIndex, at));
  }
  if (revision !== commit) await cache.writeRef(revision, commit);
  return { folder: cache.snapshot(commit), commit, files: fetching.paths };
}

/** The files of one commit as they come, with the progress over all of them. */
class Fetching {
  readonly #client: HubClient;
  readonly #commit: string;
  readonly #listed: ReadonlyMap<string, HubFile>;
  readonly #cache: RepoCache;
  readonly #options: PullOptions;
  readonly #fetched = new Set<string>();
  #doneBytes = 0;
  #totalBytes = 0;

  constructor(
    client: HubClient,
    commit: string,
    listed: ReadonlyMap<string, HubFile>,
    cache: RepoCache,
    options: PullOptions,
  ) {
    this.#client = client;
    this.#commit = commit;
    this.#listed = listed;
    this.#cache = cache;
    this.#options = options;
  }

  get paths(): string[] {
    return [...this.#fetched];
  }

  async fetch(paths: readonly string[]): Promise<void> {
    const files = paths.filter((path) => !this.#fetched.has(path)).map((path) => this.#file(path));
    for (const { bytes } of files) this.#totalBytes += bytes;
    for (const file of files) {
      await this.#fetchOne(file);
      this.#fetched.add(file.path);
    }
  }

  #file(path: string): HubFile {
    const file = this.#listed.get(path);
    if (file) return file;
    throw new CheckpointError(
      `the index of the model names ${JSON.stringify(path)}, which the repository does not have`,
    );
  }

  async #fetchOne(file: HubFile): Promise<void> {
    const { path, etag } = file;
    const before = this.#doneBytes;
    await downloadBlob(this.#cache.blob(etag), file, {
      open: (offset) => this.#client.open(this.#commit, path, offset),
      retryDelayMs: this.#options.retryDelayMs ?? 500,
      onProgress: (bytes) => {
        this.#doneBytes = before + bytes;
        this.#options.onProgress?.({ path, doneBytes: this.#doneBytes, totalBytes: this.#totalBytes });
      },
    });
    await this.#cache.linkFile(this.#commit, path, etag);
  }
}

async function fromCache(
  repo: string,
  kind: RepoKind,
  revision: string,
  cache: RepoCache,
  { files: patterns }: PullOptions,
): Promise<PulledModel> {
  const at = `${repo}@${revision}`;
  const commit = await cache.commitOf(revision);
  const paths = commit === undefined ? undefined : await cache.files(commit);
  if (commit === undefined || paths === undefined) {
    throw new CheckpointError(`${at} is not in the cache (${cache.folder}); run once without offline mode`);
  }
  const folder = cache.snapshot(commit);
  if (patterns) return { folder, commit, files: matchingFiles(paths, patterns, `${at} in the cache`) };
  if (kind === "dataset") return { folder, commit, files: rowFiles(paths, `${at} in the cache`) };
  const weights = await weightFiles(paths, (path) => readFile(join(folder, path)), `${at} in the cache`);
  const needsConfig = weights.some((path) => /^model.*\.safetensors$/.test(path));
  const missing = [...weights, ...(needsConfig ? ["config.json"] : [])].filter((path) => !paths.includes(path));
  if (missing.length > 0) {
    throw new CheckpointError(
      `${at} is not complete in the cache: ${missing.join(", ")} is missing; run once without offline mode`,
    );
  }
  return { folder, commit, files: [...new Set([...filesBesideWeights(paths), ...weights])] };
}
