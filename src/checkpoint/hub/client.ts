/** @file What is asked of the hub, through its official client; refusals become sentences. */

import { datasetInfo, downloadFile, HubApiError, listFiles, modelInfo } from "@huggingface/hub";
import { CheckpointError, messageOf, TesseraError } from "../../base/errors.js";
import { checkedPath, commitPattern, type RepoKind } from "./cache.js";
import { type HubFile, HubUnreachable } from "./download.js";

export interface HubAccess {
  readonly accessToken?: string;
  readonly hubUrl?: string;
}

/** One repository of the hub. */
export class HubClient {
  readonly #name: string;
  readonly #kind: RepoKind;
  readonly #access: HubAccess;

  constructor(name: string, kind: RepoKind, access: HubAccess) {
    this.#name = name;
    this.#kind = kind;
    this.#access = access;
  }

  get #repo(): { readonly type: RepoKind; readonly name: string } {
    return { type: this.#kind, name: this.#name };
  }

  /** The commit that a revision is now. */
  async commitOf(revision: string): Promise<string> {
    const at = `${this.#name}@${revision}`;
    const question = { name: this.#name, revision, additionalFields: ["sha" as const], ...this.#access };
    const { sha } = await asked(at, () => (this.#kind === "model" ? modelInfo(question) : datasetInfo(question)));
    if (!commitPattern.test(sha)) throw new CheckpointError(`${at}: the hub gave ${JSON.stringify(sha)} as commit`);
    return sha;
  }

  /** All files of a commit, by path. */
  async files(commit: string): Promise<Map<string, HubFile>> {
    return asked(`${this.#name}@${commit}`, async () => {
      const files = new Map<string, HubFile>();
      const listed = listFiles({ repo: this.#repo, revision: commit, recursive: true, ...this.#access });
      for await (const { type, path, size, oid, lfs } of listed) {
        const etag = lfs?.oid ?? oid;
        if (type === "file" && etag !== undefined) {
          files.set(checkedPath(path), { path, bytes: lfs?.size ?? size, etag });
        }
      }
      return files;
    });
  }

  /** The bytes of a file from `offset` on. */
  async open(commit: string, path: string, offset: number): Promise<ReadableStream<Uint8Array>> {
    const at = `${this.#name}: ${path}`;
    return asked(at, async () => {
      // plain HTTP with ranges rather than Xet: a byte offset is what an interrupted download continues from
      const blob = await downloadFile({ repo: this.#repo, path, revision: commit, xet: false, ...this.#access });
      if (!blob) throw new CheckpointError(`${at} is listed but cannot be downloaded`);
      return (offset === 0 ? blob : blob.slice(offset)).stream();
    });
  }
}

async function asked<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    if (thrown instanceof TesseraError) throw thrown;
    const options = { cause: thrown };
    if (thrown instanceof HubApiError && thrown.statusCode < 500) {
      throw new CheckpointError(
        `${what}: the hub answers ${thrown.statusCode}: ${advice(thrown.statusCode)} (${thrown.message})`,
        options,
      );
    }
    throw new HubUnreachable(
      `${what}: the hub cannot be reached: ${messageOf(thrown)}; offline mode uses what is in the cache`,
      options,
    );
  }
}

function advice(status: number): string {
  if (status === 404) return "there is no such repository, revision or file";
  if (status === 429) return "too many requests; wait, or pass a token";
  if (status !== 401 && status !== 403) return "the request was not understood";
  return "it is private or gated: accept its conditions on its page and pass a token that may read it, or check the name";
}
