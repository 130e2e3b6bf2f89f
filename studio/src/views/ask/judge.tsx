/** @file Which of two texts is better: buttons and keys, and what was kept so far. */

import { useEffect, useState } from "preact/hooks";
import type { PreferenceFacts, Verdict } from "../../../../src/server/studio/wire/index.js";
import { messageOf, post } from "../../api.js";
import { plural } from "../../format.js";
import { state } from "../../live.js";
import { Alert } from "../../parts/alert.js";
import { isGoing, textOf, type Written } from "./writing.js";

const verdicts: readonly { readonly verdict: Verdict; readonly label: string; readonly key: string }[] = [
  { verdict: "left", label: "Left is better", key: "1" },
  { verdict: "right", label: "Right is better", key: "2" },
  { verdict: "tie", label: "As good", key: "0" },
  { verdict: "bad", label: "Both bad", key: "9" },
];

interface JudgeProps {
  readonly texts: readonly [Written, Written];
  /** Keys judge too. */
  readonly isBlind: boolean;
  onJudged(): void;
}

export function Judge({ texts: [left, right], isBlind, onJudged }: JudgeProps) {
  const [error, setError] = useState<string>();
  /** The texts that were judged: a judgement counts once. */
  const [judged, setJudged] = useState<{ readonly left: Written["request"]; readonly verdict: Verdict }>();
  const isReady = [left, right].every((text) => !isGoing(text) && text.status !== "failed" && textOf(text) !== "");
  const isJudged = judged?.left === left.request;

  async function judge(verdict: Verdict): Promise<void> {
    if (!isReady || isJudged) return;
    setError(undefined);
    setJudged({ left: left.request, verdict });
    const side = (text: Written) => ({ writer: text.request.writer, text: textOf(text) });
    const { prompt } = left.request;
    try {
      await post<PreferenceFacts>("/api/preferences", { prompt, left: side(left), right: side(right), verdict });
      onJudged();
    } catch (thrown) {
      setJudged(undefined);
      setError(messageOf(thrown));
    }
  }
  useEffect(() => {
    if (!isBlind) return;
    const listen = (event: KeyboardEvent): void => {
      const isTyping = event.target instanceof Element && event.target.closest("input, textarea, select") !== null;
      const known = verdicts.find(({ key }) => key === event.key);
      if (!known || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      void judge(known.verdict);
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  });
  return (
    <section class="judge sheet" aria-labelledby="judge">
      <h2 id="judge">Which is better?</h2>
      <div class="row">
        {verdicts.map(({ verdict, label, key }) => (
          <button
            key={verdict}
            type="button"
            disabled={!isReady || isJudged}
            aria-pressed={isJudged && judged?.verdict === verdict}
            onClick={() => judge(verdict)}
          >
            {label} {isBlind && <kbd>{key}</kbd>}
          </button>
        ))}
      </div>
      {error && <Alert>{error}</Alert>}
      <Kept isJudged={isJudged} />
    </section>
  );
}

function Kept({ isJudged }: { readonly isJudged: boolean }) {
  const { numPairs, numUndecided } = state.value?.preferences ?? { numPairs: 0, numUndecided: 0 };
  return (
    <p class="quiet" role="status">
      {isJudged && "Kept. "}
      {numPairs + numUndecided === 0
        ? "What you prefer is kept in this folder's workspace, as pairs that preference tuning (DPO) learns from."
        : `${plural(numPairs, "pair")} kept for preference tuning${numUndecided > 0 ? `, ${numUndecided} undecided beside` : ""}. `}
      {numPairs > 0 && (
        <a href="/api/preferences" download="preferences.jsonl">
          Download as JSONL
        </a>
      )}
    </p>
  );
}
