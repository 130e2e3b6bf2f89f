/** @file A text service in a process of its own, which is started again when it dies. */

import { resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { messageOf, TesseraError } from "../../base/errors.js";
import { ApiError } from "../../server/openai/errors.js";
import type { EngineState, TextRequest } from "../../server/openai/service.js";
import type { AdapterFolder } from "../adapter-models.js";
import type { OpenTextService } from "../text-service.js";
import type { Connection } from "./connection.js";
import { type EngineProcess, startEngineProcess } from "./engine-process.js";
import type { SpeculationSums, TextProcessOptions } from "./protocol.js";

export interface RestartOptions {
  /** Deaths in a row, without a text finished or a minute lived between, after which no more is tried. Default 5. */
  readonly maxFailures?: number;
  /** Wait before the second start in a row; doubled with each further one, up to 30 s. Default 250. */
  readonly backoffMilliseconds?: number;
  /** Hears of every death, with what is done about it. Default: writes it to the console. */
  readonly onDeath?: (message: string) => void;
}

/** A service whose engine lives in another process. */
export interface TextProcess extends OpenTextService {
  engineState(): EngineState;
}

/**
 * Opens a model in another process, so that nothing that it does holds up this one's event loop, and its death is not
 * this one's. A request in flight when it dies gets an `ApiError` 500; the process is started again with the same options, and
 * requests wait for it meanwhile.
 * @throws what opening the model throws, the first time.
 */
export async function openTextProcess(
  options: TextProcessOptions,
  restarts: RestartOptions = {},
): Promise<TextProcess> {
  const supervisor = new Supervisor(options, await startEngineProcess(options), restarts);
  const { id, weightBytes, concurrency, hasChat, models, hasEmbeddings } = supervisor.facts;
  const { adapterFolder } = options;
  const served = [...models];
  return {
    id,
    weightBytes,
    concurrency,
    hasChat,
    models: () => served,
    renderChat: async (request) => (await supervisor.connection()).call("renderChat", request),
    generate: async (request: TextRequest) => (await supervisor.connection(request.signal)).generate(request),
    ...(hasEmbeddings && {
      embed: async ({ signal, ...request }) => (await supervisor.connection(signal)).call("embed", request, signal),
    }),
    ...(options.speculation && { speculation: () => supervisor.speculation }),
    ...(adapterFolder !== undefined && {
      loadAdapter: async (request) => {
        const model = await (await supervisor.connection()).call("loadAdapter", request);
        supervisor.keepAdapter({ id: request.name, folder: resolve(adapterFolder, request.path) });
        served.push(model);
        return model;
      },
      unloadAdapter: async (name) => {
        await (await supervisor.connection()).call("unloadAdapter", name);
        supervisor.forgetAdapter(name);
        served.splice(
          served.findIndex((model) => model.id === name),
          1,
        );
      },
    }),
    countTokens: async (prompt) => (await supervisor.connection()).call("countTokens", prompt),
    statistics: async () => (await supervisor.connection()).call("statistics", null),
    engineState: () => supervisor.state,
    [Symbol.asyncDispose]: () => supervisor.close(),
  };
}

const longestBackoff = 30_000;
/** A process that lived so long did not die of its start. */
const steadyMilliseconds = 60_000;

class Supervisor {
  #options: TextProcessOptions;
  readonly #maxFailures: number;
  readonly #backoff: number;
  readonly #onDeath: (message: string) => void;
  readonly #closing = new AbortController();
  #process: Promise<EngineProcess>;
  /** The one that runs, or the last that did. */
  #current: EngineProcess;
  #watching: Promise<void>;
  #numFailures = 0;
  #state: EngineState;

  constructor(
    options: TextProcessOptions,
    first: EngineProcess,
    { maxFailures = 5, backoffMilliseconds = 250, onDeath = console.error }: RestartOptions,
  ) {
    this.#options = options;
    this.#maxFailures = maxFailures;
    this.#backoff = backoffMilliseconds;
    this.#onDeath = onDeath;
    this.facts = first.facts;
    this.#state = { status: "ok", restarts: 0, pid: first.pid };
    this.#process = Promise.resolve(first);
    this.#current = first;
    this.#watching = this.#watch(first);
  }

  readonly facts: EngineProcess["facts"];

  /** Starts from 0 again with each process, as counters may. */
  get speculation(): SpeculationSums {
    return this.#current.connection.speculation;
  }

  /** The next process opens with it too. */
  keepAdapter(adapter: AdapterFolder): void {
    this.#options = { ...this.#options, adapters: [...(this.#options.adapters ?? []), adapter] };
  }

  forgetAdapter(name: string): void {
    const adapters = this.#options.adapters?.filter(({ id }) => id !== name) ?? [];
    this.#options = { ...this.#options, adapters };
  }

  get state(): EngineState {
    return this.#state;
  }

  /** Waits while the process starts again. @throws ApiError 503 once no more is tried; the signal's reason. */
  async connection(signal?: AbortSignal): Promise<Connection> {
    if (signal?.aborted) throw signal.reason;
    const { connection } = await (signal ? untilAborted(this.#process, signal) : this.#process);
    return connection;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const last = await this.#process.catch(() => undefined);
    await last?.[Symbol.asyncDispose]();
    await this.#watching;
  }

  /** Starts the next process whenever one has died. */
  async #watch(first: EngineProcess): Promise<void> {
    let current: EngineProcess | undefined = first;
    while (current) {
      const born = performance.now();
      const reason = await current.ended;
      const { connection } = current;
      if (this.#closing.signal.aborted) {
        connection.fail(new TesseraError("the engine is closed; open another one"));
        return;
      }
      if (connection.numFinished > 0 || performance.now() - born > steadyMilliseconds) this.#numFailures = 0;
      const next = this.#startAgain(reason);
      this.#process = next;
      connection.fail(
        new ApiError(500, `the engine died (${reason}) before the answer's end; send the request again`, {
          code: "engine_died",
          retryAfterSeconds: 1,
        }),
      );
      current = await next.catch(() => undefined);
    }
  }

  async #startAgain(reason: string): Promise<EngineProcess> {
    const { restarts } = this.#state;
    this.#state = { status: "restarting", restarts };
    for (let last = reason; ; ) {
      this.#numFailures++;
      if (this.#numFailures >= this.#maxFailures) throw this.#givenUp(last);
      const delay =
        this.#numFailures === 1 ? 0 : Math.min(longestBackoff, this.#backoff * 2 ** (this.#numFailures - 2));
      this.#onDeath(`the engine died (${last}); it starts again in ${delay} ms`);
      try {
        await wait(delay, undefined, { signal: this.#closing.signal });
        const started = await startEngineProcess(this.#options);
        this.#state = { status: "ok", restarts: this.#state.restarts + 1, pid: started.pid };
        this.#current = started;
        return started;
      } catch (thrown) {
        if (this.#closing.signal.aborted) throw new TesseraError("the engine is closed; open another one");
        last = messageOf(thrown);
      }
    }
  }

  #givenUp(reason: string): ApiError {
    const message = `the engine died ${this.#numFailures} times in a row, the last time of: ${reason}; it is not started again, so start the server anew`;
    this.#state = { status: "failed", restarts: this.#state.restarts };
    this.#onDeath(message);
    return new ApiError(503, message, { code: "engine_failed" });
  }
}

/** Gives up waiting, with the signal's reason. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason);
    signal.addEventListener("abort", giveUp, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", giveUp));
  });
}
