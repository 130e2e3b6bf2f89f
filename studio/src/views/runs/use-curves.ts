/** @file Curves of the runs that are shown: their history once, and then what comes. */

import { useEffect, useState } from "preact/hooks";
import type { RunPoint, RunPoints } from "../../../../src/server/studio/wire/index.js";
import { get, messageOf } from "../../api.js";
import { connection, onPoints } from "../../live.js";
import { Curve } from "./curve.js";

export interface Curves {
  readonly of: ReadonlyMap<string, Curve>;
  /** Changes with every point: what is made of curves is made anew. */
  readonly version: number;
  readonly error?: string;
}

/** @param ids of runs, joined by commas. */
export function useCurves(ids: string): Curves {
  const [curves, setCurves] = useState<Curves>({ of: new Map(), version: 0 });
  const isOpen = connection.value === "open";
  useEffect(() => {
    if (!isOpen) return;
    const abort = new AbortController();
    const of = new Map(ids.split(",").map((id) => [id, new Curve()]));
    const add = (id: string, points: readonly RunPoint[]): void => {
      const curve = of.get(id);
      if (!curve) return;
      curve.add(points);
      setCurves(({ version, error }) => ({ of, version: version + 1, ...(error !== undefined && { error }) }));
    };
    // heard from now on, so that nothing is lost between the history and what follows it
    const end = onPoints(add);
    for (const id of of.keys()) {
      get<RunPoints>(`/api/runs/${encodeURIComponent(id)}/points`, abort.signal).then(
        ({ points }) => add(id, points),
        (thrown) => {
          if (!abort.signal.aborted) setCurves((before) => ({ ...before, error: messageOf(thrown) }));
        },
      );
    }
    return () => {
      abort.abort();
      end();
    };
  }, [ids, isOpen]);
  return curves;
}
