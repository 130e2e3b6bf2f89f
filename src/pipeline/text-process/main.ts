/** @file The engine's process: opens what it is told to, answers, and ends with the process that made it. */

import { assert } from "../../base/errors.js";
import { toPlainError } from "../plain-error.js";
import type { OpenTextService } from "../text-service.js";
import { TextHost } from "./host.js";
import { openTextHere } from "./open-here.js";
import type { FromHost, TextProcessOptions, ToHost } from "./protocol.js";

interface Opened {
  readonly service: OpenTextService;
  readonly host: TextHost;
}

let opened: Opened | undefined;

function send(message: FromHost): void {
  // nobody is left to read it when the other side has gone
  if (process.connected) process.send?.(message);
}

async function open(options: TextProcessOptions): Promise<Opened> {
  const service = await openTextHere(options);
  return { service, host: new TextHost(service, send) };
}

async function receive(message: ToHost): Promise<void> {
  if (message.type === "open") {
    try {
      opened = await open(message.options);
    } catch (thrown) {
      send({ type: "failed", error: toPlainError(thrown) });
      process.disconnect();
      return;
    }
    const { id, weightBytes, concurrency, hasChat, embed } = opened.service;
    const facts = {
      id,
      weightBytes,
      concurrency,
      hasChat,
      models: opened.service.models(),
      hasEmbeddings: embed !== undefined,
    };
    send({ type: "ready", facts });
  } else if (message.type === "close") {
    await opened?.service[Symbol.asyncDispose]();
    process.disconnect();
  } else {
    assert(opened, "calls come after the service is ready");
    opened.host.receive(message);
  }
}

process.on("message", (message: ToHost) => void receive(message));
process.on("disconnect", () => process.exit());
// ctrl-C reaches the whole group; the server's process says when this one ends
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
