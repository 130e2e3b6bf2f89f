/** @file The plan of the settings as they are now: one that is no longer asked for is not waited for. */

import { useEffect, useState } from "preact/hooks";
import type { PlanAnswer, PlanChange, PlanChanges, PlanRequest } from "../../../../src/server/studio/wire/index.js";
import { messageOf, post } from "../../api.js";

export interface Planned {
  readonly answer?: PlanAnswer;
  /** Of a plan that does not fit; absent while they are looked for. */
  readonly changes?: readonly PlanChange[];
  readonly error?: string;
  /** From asking to having the answer. */
  readonly ms?: number;
}

/** The last answer stays until the next one is there, so that nothing flickers while a slider moves. */
export function usePlan(request: PlanRequest | undefined): Planned {
  const [planned, setPlanned] = useState<Planned>({});
  const key = JSON.stringify(request);
  // the request is what its JSON says
  useEffect(() => {
    if (!request) return;
    const abort = new AbortController();
    const ask = async (): Promise<void> => {
      const start = performance.now();
      const answer = await post<PlanAnswer>("/api/plan", request, abort.signal);
      setPlanned({ answer, ms: performance.now() - start });
      if (answer.fits || answer.reason !== undefined) return;
      const { changes } = await post<PlanChanges>("/api/plan/changes", request, abort.signal);
      setPlanned((before) => ({ ...before, changes }));
    };
    ask().catch((thrown) => {
      if (!abort.signal.aborted) setPlanned({ error: messageOf(thrown) });
    });
    return () => abort.abort();
  }, [key]);
  return planned;
}
