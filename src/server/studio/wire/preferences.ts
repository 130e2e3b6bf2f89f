/** @file Which of two texts is better, as people say: pairs for preference tuning. */

/** `left` or `right` is better, both are as good, or neither is any good. */
export type Verdict = "left" | "right" | "tie" | "bad";

export interface JudgedText {
  /** Id of the writer. */
  readonly writer: string;
  readonly text: string;
}

/** Body of `POST /api/preferences`. `GET /api/preferences` gives the pairs as a file. */
export interface PreferenceRequest {
  readonly prompt: string;
  readonly left: JudgedText;
  readonly right: JudgedText;
  readonly verdict: Verdict;
}

export interface PreferenceFacts {
  /** Judgements in which one text is better: what preference tuning learns from. */
  readonly numPairs: number;
  /** Ties, and pairs of which neither is any good. */
  readonly numUndecided: number;
}
