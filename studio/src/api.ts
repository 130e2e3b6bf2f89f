/** @file Requests to the server that the page came from. */

import type { ErrorResponse } from "../../src/server/studio/wire/index.js";

/** What the server has put in words. */
export class ServerError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly field?: string,
  ) {
    super(message);
  }
}

/** JSON of a path. @throws ServerError with the server's words. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await send(path, { ...(signal && { signal }) })).json() as Promise<T>;
}

/** Posts JSON and gives the JSON that comes back. @throws ServerError with the server's words. */
export async function post<T>(path: string, body: object, signal?: AbortSignal): Promise<T> {
  return (await postJson(path, body, signal)).json() as Promise<T>;
}

/** Posts a file's bytes. @throws ServerError with the server's words. */
export async function postFile<T>(path: string, file: Blob): Promise<T> {
  return (await send(path, { method: "POST", body: file })).json() as Promise<T>;
}

/** Posts JSON and gives the server-sent events that come back, until they end. */
export async function* postForEvents<Event extends { readonly event: string; readonly data: unknown }>(
  path: string,
  body: object,
  signal?: AbortSignal,
): AsyncGenerator<Event, void> {
  const response = await postJson(path, body, signal);
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of response.body ?? []) {
    const blocks = (rest + decoder.decode(bytes, { stream: true })).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const fields = new Map(block.split("\n").map((line) => splitField(line)));
      yield { event: fields.get("event"), data: JSON.parse(fields.get("data") ?? "null") } as Event;
    }
  }
}

const splitField = (line: string): [name: string, value: string] => {
  const colon = line.indexOf(": ");
  return [line.slice(0, colon), line.slice(colon + 2)];
};

const postJson = (path: string, body: object, signal?: AbortSignal): Promise<Response> =>
  send(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });

async function send(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (thrown) {
    if (init.signal?.aborted) throw thrown;
    throw new ServerError(0, "the server does not answer; start it again with tessera studio, and load this page anew");
  }
  if (response.ok) return response;
  const body = (await response.json().catch(() => undefined)) as ErrorResponse | undefined;
  const { message = `the server answered ${response.status}`, field } = body?.error ?? {};
  throw new ServerError(response.status, message, field);
}

export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
