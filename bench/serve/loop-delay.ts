/** @file By how much an event loop is late; run as a process of its own, one that has nothing to do, to compare with. */

import { fork } from "node:child_process";
import { once } from "node:events";
import { constants, setPriority } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { fileURLToPath } from "node:url";

/** Milliseconds. */
export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Milliseconds between looks at the event loop; what is measured includes them. */
const resolution = 5;

/**
 * Raises this process's priority where the system allows it (it asks for root), so that other programs of a busy machine
 * count less. Says whether it did.
 */
export function raisePriority(): boolean {
  try {
    setPriority(constants.priority.PRIORITY_HIGH);
    return true;
  } catch {
    return false;
  }
}

/** Watches this process; each call tells of the time since the last. */
export function watchLoop(): () => LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution });
  histogram.enable();
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - resolution);
  return () => {
    const delay = {
      p50: late(histogram.percentile(50)),
      p99: late(histogram.percentile(99)),
      max: late(histogram.max),
    };
    histogram.reset();
    return delay;
  };
}

/** A process with nothing to do: how late its loop is, is the machine's doing. */
export function idleProcess(): { delay(): Promise<LoopDelay>; end(): void } {
  const child = fork(fileURLToPath(import.meta.url));
  return {
    async delay() {
      const answer = once(child, "message");
      child.send("report");
      return (await answer)[0] as LoopDelay;
    },
    end: () => child.disconnect(),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  raisePriority();
  const delay = watchLoop();
  process.on("message", () => process.send!(delay()));
}
