/** @file What the server measures. Seconds throughout, as Prometheus asks. */

import type { RequestQueue } from "../queue.js";
import type { EngineState } from "../service.js";
import { Counter, Gauge, Histogram, type Metric } from "./prometheus.js";

/** Quantiles of the time by which the event loop was late, in seconds, by quantile ("0.5", "0.99"). */
export type EventLoopDelay = () => Readonly<Record<string, number>>;

/** Tokens that were proposed and accepted so far. */
export type Speculated = () => { readonly proposed: number; readonly accepted: number };

/** What others measure. */
interface MetricSources {
  /** Gives undefined where the engine has no process of its own. */
  readonly engineState: () => EngineState | undefined;
  readonly delay: EventLoopDelay | undefined;
  readonly speculation: Speculated | undefined;
}

export class ServerMetrics {
  readonly requests = new Counter("tessera_requests_total", "Requests answered, by route and HTTP status.");
  readonly tokens = new Counter("tessera_tokens_total", "Tokens, by kind: prompt or completion.");
  readonly cancelled = new Counter("tessera_requests_cancelled_total", "Requests whose client went before the end.");
  readonly firstToken = new Histogram(
    "tessera_time_to_first_token_seconds",
    "Time from a request's arrival to its first token.",
    [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  );
  readonly perToken = new Histogram(
    "tessera_time_per_output_token_seconds",
    "Time between tokens of one text.",
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
  );
  readonly duration = new Histogram(
    "tessera_request_duration_seconds",
    "Time from a request's arrival to its end.",
    [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
  );
  readonly #all: readonly Metric[];

  constructor(queue: RequestQueue, numOpen: () => number, { engineState, delay, speculation }: MetricSources) {
    const { requests, tokens, cancelled, firstToken, perToken, duration } = this;
    const one = (read: () => number) => () => [[{}, read()] as const];
    this.#all = [
      requests,
      cancelled,
      tokens,
      firstToken,
      perToken,
      duration,
      new Gauge(
        "tessera_queue_length",
        "Requests that wait for their turn.",
        one(() => queue.waiting),
      ),
      new Gauge(
        "tessera_requests_running",
        "Requests that have their turn.",
        one(() => queue.running),
      ),
      new Gauge("tessera_requests_open", "Requests that have no end yet.", one(numOpen)),
      ...(engineState()
        ? [
            new Gauge(
              "tessera_engine_restarts_total",
              "Starts of the engine's process after the first.",
              one(() => engineState()?.restarts ?? 0),
              "counter",
            ),
            new Gauge(
              "tessera_engine_up",
              "Whether the engine's process runs.",
              one(() => Number(engineState()?.status === "ok")),
            ),
          ]
        : []),
      ...(delay
        ? [
            new Gauge("tessera_event_loop_delay_seconds", "How late the event loop was.", () =>
              Object.entries(delay()).map(([quantile, value]) => [{ quantile }, value] as const),
            ),
          ]
        : []),
      ...(speculation
        ? [
            new Gauge(
              "tessera_speculation_tokens_total",
              "Tokens that were guessed ahead, by outcome: proposed, and those of them that were accepted.",
              () => Object.entries(speculation()).map(([outcome, count]) => [{ outcome }, count] as const),
              "counter",
            ),
          ]
        : []),
    ];
  }

  render(): string {
    return `${this.#all.flatMap((metric) => metric.render()).join("\n")}\n`;
  }
}
