/** @file The plan of the settings as they are now. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { PlanAnswer, PlanChange, PlanChanges, PlanRequest } from "../../../../src/server/studio/wire/index.js";
import { messageOf, post } from "../../api.js";

export interface Planned {
  readonly answer?: PlanAnswer;
  /** Of a plan that does not fit; absent while they are looked for. */
  readonly changes?: readonly PlanChange[];
  readonly error?: string;
}

/**
 * The last answer stays until the next one is there, so that nothing flickers while a slider moves. One question is asked at a
 * time, and then the latest: what a server has begun to compute it computes to the end, and those in between nobody needs.
 */
export function usePlan(request: PlanRequest | undefined): Planned {
  const [planned, setPlanned] = useState<Planned>({});
  const wanted = useRef<PlanRequest>(undefined);
  const isAsking = useRef(false);
  wanted.current = request;
  const key = JSON.stringify(request);
  // the request is what its JSON says
  useEffect(() => {
    if (isAsking.current) return;
    isAsking.current = true;
    askForLatest(wanted, setPlanned).finally(() => {
      isAsking.current = false;
    });
  }, [key]);
  // a view that is left wants nothing more
  useEffect(
    () => () => {
      wanted.current = undefined;
    },
    [],
  );
  return planned;
}

/** Asks until the answer is that of what is wanted then. */
async function askForLatest(
  wanted: { readonly current: PlanRequest | undefined },
  show: (planned: Planned) => void,
): Promise<void> {
  for (let asked: PlanRequest | undefined; wanted.current && wanted.current !== asked; ) {
    asked = wanted.current;
    const isWanted = (): boolean => wanted.current === asked;
    try {
      const answer = await post<PlanAnswer>("/api/plan", asked);
      show({ answer });
      if (answer.fits || answer.reason !== undefined || !isWanted()) continue;
      const { changes } = await post<PlanChanges>("/api/plan/changes", asked);
      if (isWanted()) show({ answer, changes });
    } catch (thrown) {
      if (isWanted()) show({ error: messageOf(thrown) });
    }
  }
}
