/** @file The app behind Node's HTTP server. */

import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { getRequestListener, type Http2Bindings, type HttpBindings } from "@hono/node-server";
import type { Hono } from "hono";
import { assert, ConfigError, messageOf } from "../../base/errors.js";
import { securityHeaders } from "../guard.js";
import type { Asset, Assets } from "../studio/assets.js";

export interface ListenOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Name or address to listen on. Default 127.0.0.1: only programs of this machine reach it. */
  readonly host?: string;
  /** The body, as JSON, for requests that do not reach the app. Default `{ error: { message } }`. */
  readonly refusalBody?: (message: string) => object;
}

export interface RunningServer {
  /** Where the page is. */
  readonly url: string;
  /** Takes no more requests, ends streams at once, lets other answers finish for a second, and is done. */
  close(): Promise<void>;
}

type Outgoing = (HttpBindings | Http2Bindings)["outgoing"];

/** How long answers that are no streams may take when the server closes. */
const closeTimeoutMs = 1000;

/** Connections that may wait to be accepted (the system may allow fewer). Node's 511 loses some of a crowd after minutes. */
const backlog = 16_384;

/** @throws ConfigError when the port or the host cannot be had. */
export async function listen(
  app: Pick<Hono, "fetch">,
  { port, host = "127.0.0.1", refusalBody = (message) => ({ error: { message } }) }: ListenOptions,
): Promise<RunningServer> {
  const streams = new Set<Outgoing>();
  const respond = getRequestListener(
    async (request, { outgoing }) => {
      const response = await app.fetch(request);
      if (response.headers.get("content-type")?.startsWith("text/event-stream") && !outgoing.destroyed) {
        streams.add(outgoing);
        outgoing.on("close", () => streams.delete(outgoing));
      }
      return response;
    },
    // global Request and Response belong to the whole process
    { overrideGlobalObjects: false, errorHandler: (thrown) => refuse(refusalBody(messageOf(thrown))) },
  );
  const server = createServer(respond);
  server.listen({ port, host, backlog });
  try {
    await once(server, "listening");
  } catch (thrown) {
    throw listenError(thrown, port, host);
  }
  let closing: Promise<void> | undefined;
  return {
    url: urlOf(server, host),
    close() {
      closing ??= close(server, streams);
      return closing;
    },
  };
}

const mediaTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/**
 * The built page, for `StudioAppOptions.assets`.
 * @param folder where it was built to. Default: beside the built package.
 * @throws ConfigError where no page was built.
 */
export async function readStudioAssets(folder = new URL("../../studio/", import.meta.url)): Promise<Assets> {
  const root = fileURLToPath(folder);
  const assets = new Map<string, Asset>();
  try {
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const mediaType = mediaTypes[extname(path)];
      assert(mediaType, `the page has a file of an unknown kind: ${path}`);
      assets.set(relative(root, path).replaceAll(sep, "/"), { mediaType, bytes: new Uint8Array(await readFile(path)) });
    }
  } catch (thrown) {
    throw new ConfigError(`the page cannot be read from ${root}: ${messageOf(thrown)}; npm run build makes it`, {
      cause: thrown,
    });
  }
  return assets;
}

/** For requests that do not reach the app: no valid target or host. */
function refuse(body: object): Response {
  return Response.json(body, { status: 400, headers: securityHeaders });
}

async function close(server: Server, streams: ReadonlySet<Outgoing>): Promise<void> {
  const closed = once(server, "close");
  server.close();
  for (const stream of streams) stream.destroy();
  const deadline = performance.now() + closeTimeoutMs;
  // a connection that was busy when the server closed is kept alive after its answer
  const timer = setInterval(() => {
    if (performance.now() < deadline) server.closeIdleConnections();
    else server.closeAllConnections();
  }, 20);
  await closed;
  clearInterval(timer);
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  const isEverywhere = host === "0.0.0.0" || host === "::";
  return `http://${isEverywhere ? "localhost" : host.includes(":") ? `[${host}]` : host}:${port}/`;
}

function listenError(thrown: unknown, port: number, host: string): ConfigError {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} of ${host} is in use; stop the program that has it, or choose another with --port`,
    EACCES: `port ${port} of ${host} may not be used; choose one above 1023 with --port`,
    EADDRNOTAVAIL: `${host} is no address of this machine; choose one with --host, or leave it out`,
    ENOTFOUND: `the name ${host} is not known; choose another with --host, or leave it out`,
  };
  const reason = reasons[String(code)] ?? `cannot listen on port ${port} of ${host}: ${messageOf(thrown)}`;
  return new ConfigError(`server: ${reason}`, { cause: thrown });
}
