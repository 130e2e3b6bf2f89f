/**
 * @file The hub's cache folder as all Hugging Face libraries lay it out: `models--org--name/` (or `datasets--`) with `blobs/<etag>`, `refs/<revision>` holding a
 * commit, and `snapshots/<commit>/<path>` linking to blobs.
 */

import { link, mkdir, readdir, readFile, stat, symlink } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { CheckpointError, ConfigError, messageOf } from "../../base/errors.js";
import { replaceFiles } from "../atomic.js";
import { ifThere } from "../byte-file.js";

/** What a repository of the hub holds. */
export type RepoKind = "model" | "dataset";

export const commitPattern = /^[0-9a-f]{40}$/;
/** sha1 of a git object, or sha256 of a large file. */
const etagPattern = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

export class RepoCache {
  readonly folder: string;

  /** @param repo `org/name`, or a name alone. @throws ConfigError when it is neither. */
  constructor(cacheDir: string, repo: string, kind: RepoKind) {
    if (!isRepoName(repo)) {
      throw new ConfigError(`expected a ${kind} of the hub as org/name, got ${JSON.stringify(repo)}`);
    }
    this.folder = join(cacheDir, `${kind}s--${repo.replace("/", "--")}`);
  }

  blob(etag: string): string {
    if (!etagPattern.test(etag)) throw new CheckpointError(`the hub gave ${JSON.stringify(etag)} as hash of a file`);
    return join(this.folder, "blobs", etag);
  }

  snapshot(commit: string): string {
    return join(this.folder, "snapshots", commit);
  }

  /** Remembers which commit a branch or tag stands for. */
  async writeRef(revision: string, commit: string): Promise<void> {
    const path = this.#ref(revision);
    await mkdir(dirname(path), { recursive: true });
    await replaceFiles([[path, [new TextEncoder().encode(commit)]]]);
  }

  /** The commit of a revision as of the last download; `undefined` when it was never downloaded. */
  async commitOf(revision: string): Promise<string | undefined> {
    if (commitPattern.test(revision)) return revision;
    const path = this.#ref(revision);
    return (await ifThere(readFile(path, "utf8"), path))?.trim();
  }

  /** Makes a file of a snapshot that is its blob. */
  async linkFile(commit: string, path: string, etag: string): Promise<void> {
    const [blob, target] = [this.blob(etag), join(this.snapshot(commit), checkedPath(path))];
    if (await ifThere(stat(target), target)) return;
    await mkdir(dirname(target), { recursive: true });
    try {
      await symlink(relative(dirname(target), blob), target);
    } catch (thrown) {
      if (codeOf(thrown) === "EEXIST") return; // another process was faster
      // Windows gives symbolic links only to administrators and developers
      if (codeOf(thrown) !== "EPERM")
        throw new CheckpointError(`cannot link ${target}: ${messageOf(thrown)}`, { cause: thrown });
      await link(blob, target);
    }
  }

  /** Paths of the files of a snapshot, with forward slashes; `undefined` when there is no such snapshot. Links to nothing are left out. */
  async files(commit: string): Promise<string[] | undefined> {
    const folder = this.snapshot(commit);
    const entries = await ifThere(readdir(folder, { recursive: true }), folder);
    if (entries === undefined) return undefined;
    const paths: string[] = [];
    for (const entry of entries) {
      const found = await ifThere(stat(join(folder, entry)), join(folder, entry));
      if (found?.isFile()) paths.push(entry.split(sep).join("/"));
    }
    return paths.sort();
  }

  #ref(revision: string): string {
    return join(this.folder, "refs", checkedPath(revision));
  }
}

/** Whether a text can be the name of a repository on the hub. */
export function isRepoName(text: string): boolean {
  return /^[\w-][\w.-]*(\/[\w-][\w.-]*)?$/.test(text) && !text.includes("..") && !text.includes("--");
}

/** @throws CheckpointError for a path that leads out of the folder it is joined to. */
export function checkedPath(path: string): string {
  const parts = path.split("/");
  if (path === "" || /[\\\0:]/.test(path) || parts.some((part) => part === "" || part === "." || part === "..")) {
    throw new CheckpointError(`expected a path inside the repository, found ${JSON.stringify(path)}`);
  }
  return path;
}

export function codeOf(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
}
