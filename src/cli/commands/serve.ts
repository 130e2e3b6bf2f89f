/** @file `tessera serve <model>`: OpenAI's HTTP interface over a model, or before another server. */

import { readFile } from "node:fs/promises";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Command, InvalidArgumentError, Option } from "commander";
import { ConfigError, messageOf } from "../../base/errors.js";
import { resolveModel } from "../../checkpoint/index.js";
import type { AdapterFolder } from "../../pipeline/index.js";
import { listen } from "../../server/adapters/node.js";
import {
  ApiError,
  type ApiKey,
  createOpenAiApp,
  createUpstream,
  type EventLoopDelay,
  parseApiKeys,
  type TextService,
  type Upstream,
} from "../../server/openai/index.js";
import { bytes, plural } from "../format.js";
import { aboutDefaults, addModelOptions, type ModelFlags, modelId, openModel } from "../model-options.js";
import { parseBytes, parseInteger, parseSeconds } from "../options.js";

interface Flags extends ModelFlags {
  readonly port: number;
  readonly host: string;
  readonly name?: string;
  readonly embeddings?: string;
  readonly adapter: readonly AdapterFolder[];
  readonly allowAdapterLoading?: string;
  readonly upstream?: string;
  readonly apiKeys?: string;
  readonly cors?: string[];
  readonly running: number;
  readonly waiting: number;
  readonly timeout: number;
  readonly drain: number;
  readonly maxBody: number;
  readonly log: boolean;
  readonly logBodies?: boolean;
}

export const serveCommand = addModelOptions(
  new Command("serve")
    .description("serve a model with OpenAI's HTTP interface: chats, completions, embeddings, tools, streams")
    .argument("[model]", "model folder, GGUF or llama2.c file, or a name on the hub; none with --upstream"),
)
  .option("--port <port>", "port to listen on", parseInteger(0, 65535), 8000)
  .option("--host <host>", "address to serve on", "127.0.0.1")
  .option("--name <name>", "name of the model in requests (default: the last part of its path)")
  .option("--embeddings <model>", "for /v1/embeddings: builtin, an encoder, or a static model")
  .addOption(
    new Option("--adapter <name=folder>", "serve an adapter of the model under a name of its own; may be repeated")
      .argParser(addAdapter)
      .default([], "none"),
  )
  .option(
    "--allow-adapter-loading <folder>",
    "let clients load adapters from below this folder (/v1/load_lora_adapter) and unload them (default: none may)",
  )
  .option("--upstream <url>", "pass requests on to another server of this interface (its key: TESSERA_UPSTREAM_KEY)")
  .option(
    "--api-keys <file>",
    "JSON list of { name, key or sha256, requestsPerMinute?, tokensPerMinute? } (or TESSERA_API_KEYS: keys with commas between)",
  )
  .option("--cors <origin...>", "sites whose pages may send requests, or * (default: none)")
  .option("--running <count>", "requests that run at once", parseInteger(1, 1024), 8)
  .option("--waiting <count>", "requests that may wait; more are refused with 429", parseInteger(0, 100_000), 64)
  .option("--timeout <time>", "longest time of a request, such as 90s or 10m", parseSeconds, 600)
  .option("--drain <time>", "how long requests in flight may take once the server ends", parseSeconds, 30)
  .option("--max-body <size>", "largest body of a request", parseBytes, 8 * 2 ** 20)
  .option("--no-log", "no line of JSON per request on standard output")
  .option("--log-bodies", "log the bodies of requests, prompts included")
  .action(run);

async function run(model: string | undefined, flags: Flags): Promise<void> {
  const keys = await keysOf(flags);
  await using backend = await openBackend(model, flags);
  const { app, drain } = createOpenAiApp(backend.backend, {
    host: flags.host,
    ...(keys && { keys }),
    ...(flags.cors && { cors: flags.cors }),
    maxBodyBytes: flags.maxBody,
    maxWaiting: flags.waiting,
    timeoutSeconds: flags.timeout,
    ...(flags.log && { log: (record) => process.stdout.write(`${JSON.stringify(record)}\n`) }),
    logBodies: flags.logBodies === true,
    eventLoopDelay: watchEventLoop(),
  });
  const { port, host } = flags;
  const server = await listen(app, { port, host, refusalBody: (message) => new ApiError(400, message).body });
  console.error(`${backend.about}\nServing on ${server.url}v1, ctrl-C ends it.`);
  if (!keys && !["127.0.0.1", "localhost", "::1"].includes(flags.host)) {
    console.error(`Everyone who reaches ${flags.host} may send requests; --api-keys asks for keys.`);
  }
  await interrupted();
  console.error(`Finishing what is in flight for at most ${flags.drain} s; once more ends at once.`);
  process.once("SIGINT", () => process.exit(130));
  const numCut = await drain(flags.drain);
  await server.close();
  if (numCut > 0) console.error(`${plural(numCut, "request")} did not finish and got an error.`);
}

/** `name=folder`, added to those before it. */
function addAdapter(text: string, before: readonly AdapterFolder[]): readonly AdapterFolder[] {
  const [, id, folder] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (id === undefined || folder === undefined)
    throw new InvalidArgumentError(`expected <name>=<folder>, got "${text}"`);
  return [...before, { id, folder }];
}

interface Backend extends AsyncDisposable {
  readonly backend: TextService | Upstream;
  /** A line that says what is served. */
  readonly about: string;
}

async function openBackend(model: string | undefined, flags: Flags): Promise<Backend> {
  const { upstream, embeddings, name, running, adapter: adapters, allowAdapterLoading: adapterFolder } = flags;
  if ((model === undefined) === (upstream === undefined)) {
    throw new ConfigError("serve: give a model or --upstream <url>, and not both");
  }
  if (upstream !== undefined && (adapters.length > 0 || adapterFolder !== undefined)) {
    throw new ConfigError("serve: adapters belong to a model; the server behind --upstream has its own");
  }
  if (upstream !== undefined) {
    if (flags.draft !== undefined || flags.speculate !== undefined)
      throw new ConfigError("serve: --draft and --speculate are for a model of one's own, not for --upstream");
    const backend = createUpstream(upstream, process.env.TESSERA_UPSTREAM_KEY, { concurrency: running });
    return { backend, about: `passing on to ${upstream}`, [Symbol.asyncDispose]: async () => {} };
  }
  const service = await openModel(model!, flags, {
    maxSequences: running,
    ...(name !== undefined && { id: name }),
    adapters,
    ...(adapterFolder !== undefined && { adapterFolder }),
    ...(embeddings !== undefined && {
      embeddings: {
        id: modelId(embeddings),
        path: embeddings === "builtin" ? embeddings : await resolveModel(embeddings),
      },
    }),
  });
  const [served] = service.models();
  const withAdapters = adapters.length > 0 ? `, adapters ${adapters.map(({ id }) => id).join(", ")}` : "";
  const about = `${service.id}: ${flags.weights}, ${bytes(service.weightBytes)}, context of ${served!.contextLength} tokens${withAdapters}`;
  return {
    backend: service,
    about: [about, ...aboutDefaults(served!)].join("\n"),
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}

async function keysOf({ apiKeys }: Flags): Promise<ApiKey[] | undefined> {
  const listed = process.env.TESSERA_API_KEYS;
  if (apiKeys === undefined && listed === undefined) return undefined;
  if (apiKeys === undefined) {
    const entries = listed!.split(",").map((key, i) => ({ name: `key ${i + 1}`, key: key.trim() }));
    return parseApiKeys(JSON.stringify(entries), "TESSERA_API_KEYS");
  }
  let text: string;
  try {
    text = await readFile(apiKeys, "utf8");
  } catch (thrown) {
    throw new ConfigError(`API keys: ${apiKeys} cannot be read: ${messageOf(thrown)}`, { cause: thrown });
  }
  return parseApiKeys(text, apiKeys);
}

/** Milliseconds between looks at the event loop. */
const resolution = 10;

function watchEventLoop(): EventLoopDelay {
  const histogram = monitorEventLoopDelay({ resolution });
  histogram.enable();
  // what is measured is the time between two looks
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - resolution / 1000);
  return () => ({
    "0.5": late(histogram.percentile(50)),
    "0.95": late(histogram.percentile(95)),
    "0.99": late(histogram.percentile(99)),
    "1": late(histogram.max),
  });
}

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}
