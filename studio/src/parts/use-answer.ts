/** @file What the server answers to a path, while a component shows it. */

import { useEffect, useState } from "preact/hooks";
import { get, messageOf } from "../api.js";

/**
 * The answer of a path and what went wrong, one of the two undefined; both until the answer is there. It is asked for anew when
 * `of` is another, and the one before is kept until then.
 */
export function useAnswer<T>(path: string | undefined, of: unknown): [T | undefined, string | undefined] {
  const [answer, setAnswer] = useState<{ readonly path: string; readonly value: T }>();
  const [error, setError] = useState<string>();
  useEffect(() => {
    setError(undefined);
    if (path === undefined) return;
    const abort = new AbortController();
    get<T>(path, abort.signal).then(
      (value) => setAnswer({ path, value }),
      (thrown) => {
        if (!abort.signal.aborted) setError(messageOf(thrown));
      },
    );
    return () => abort.abort();
  }, [path, of]);
  const isOwn = answer !== undefined && answer.path === path && error === undefined;
  return [isOwn ? answer.value : undefined, error];
}
