/** @file Requests as raw sockets send them: when tokens came, what a refused one was told, and readers that do not read. */

import { connect, type Socket } from "node:net";

export interface Streamed {
  readonly status: number;
  /** Milliseconds from the request to the first token. */
  readonly first: number;
  /** Mean of the milliseconds from token to token. */
  readonly perToken: number;
  readonly numTokens: number;
}

export function requestText(path: string, body: unknown): string {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

function opened(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" }, () => resolve(socket));
    socket.once("error", reject);
  });
}

/** Streams a completion to its end, or to `leaveAfter` tokens. */
export async function stream(port: number, body: object, leaveAfter = Number.POSITIVE_INFINITY): Promise<Streamed> {
  const socket = await opened(port);
  socket.setEncoding("utf8");
  const start = performance.now();
  socket.write(requestText("/v1/completions", { ...body, stream: true }));
  let [head, first, last, numTokens] = ["", 0, 0, 0];
  for await (const text of socket as AsyncIterable<string>) {
    if (head.length < 20) head += text;
    const count = text.match(/"text":"[^"]/g)?.length ?? 0;
    if (count === 0) continue;
    numTokens += count;
    last = performance.now() - start;
    if (first === 0) first = last;
    if (numTokens >= leaveAfter) break;
  }
  socket.destroy();
  return { status: statusOf(head), first, perToken: (last - first) / Math.max(1, numTokens - 1), numTokens };
}

/** The whole answer. */
export async function answerOf(port: number, path: string, body: unknown): Promise<{ status: number; text: string }> {
  const socket = await opened(port);
  socket.setEncoding("utf8");
  socket.write(requestText(path, body));
  let text = "";
  for await (const piece of socket as AsyncIterable<string>) text += piece;
  return { status: statusOf(text), text };
}

/** Sends a request and reads nothing of its answer. */
export async function silentReader(port: number, body: object): Promise<Socket> {
  const socket = await opened(port);
  socket.pause();
  socket.on("error", () => undefined);
  socket.write(requestText("/v1/completions", body));
  return socket;
}

const statusOf = (head: string): number => Number(head.slice(9, 12));
