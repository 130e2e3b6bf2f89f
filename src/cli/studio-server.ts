/** @file A Studio behind an address: who may use it, and its end. */

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { ConfigError, messageOf } from "../base/errors.js";
import type { Studio } from "../pipeline/studio/studio.js";
import { listen, type RunningServer, readStudioAssets } from "../server/adapters/node.js";
import { createStudioApp } from "../server/studio/app.js";
import { parseInteger } from "./options.js";
import type { StatusLine } from "./status-line.js";

export interface AddressFlags {
  readonly port: number;
  readonly host: string;
  readonly keyFile?: string;
}

export function addAddressOptions(command: Command): Command {
  return command
    .option("--port <port>", "port of the page", parseInteger(0, 65535), 4321)
    .option("--host <host>", "address to serve on; other than this machine's own it asks for a key", "127.0.0.1")
    .option("--key-file <file>", "file with the key that the page asks for (or TESSERA_KEY; default: one is made)");
}

/** Serves a Studio's page. @throws ConfigError when the key cannot be read or the address cannot be had. */
export async function serveStudio(
  studio: Studio,
  { port, host, keyFile }: AddressFlags,
  print: (text: string) => void,
): Promise<RunningServer> {
  const key = keyOf(host, keyFile);
  const app = createStudioApp(studio, { assets: await readStudioAssets(), host, ...(key && { key: key.value }) });
  const server = await listen(app, { port, host });
  print(`Serving on ${server.url}, ctrl-C ends it.`);
  if (key?.isMade) print(`The page asks for this key: ${key.value}`);
  return server;
}

const isLoopback = (host: string): boolean => ["127.0.0.1", "localhost", "::1"].includes(host);

/** Shorter ones can be guessed. */
const LEAST_KEY = 16;

function keyOf(host: string, file: string | undefined): { value: string; isMade: boolean } | undefined {
  const given = file === undefined ? process.env.TESSERA_KEY : readKey(file);
  if (given !== undefined) {
    if (given.length >= LEAST_KEY) return { value: given, isMade: false };
    throw new ConfigError(`the key of the page has ${given.length} characters; give one of ${LEAST_KEY} or more`);
  }
  return isLoopback(host) ? undefined : { value: randomBytes(24).toString("base64url"), isMade: true };
}

function readKey(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (thrown) {
    throw new ConfigError(`--key-file: ${file} cannot be read: ${messageOf(thrown)}`, { cause: thrown });
  }
}

/** Ctrl-C stops what runs, with checkpoints, and then the process; a second one stops it at once. */
export function endAtInterrupt(status: StatusLine, server: RunningServer, studio: Studio): void {
  process.once("SIGINT", () => {
    status.print("Stopping; what runs writes a checkpoint.");
    process.once("SIGINT", () => process.exit(130));
    void server
      .close()
      .then(() => studio[Symbol.asyncDispose]())
      .then(() => process.exit(0));
  });
}
