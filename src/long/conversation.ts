/** @file A conversation brought under a budget of tokens: its oldest exchanges leave first. */

/** A message, as far as it matters here. */
export interface Turn {
  readonly role: string;
  readonly content: string;
}

export interface ConversationBudget<T> {
  /** Most tokens of what is left. */
  readonly budget: number;
  /** Tokens of messages as the model reads them. More messages must not have fewer. */
  readonly count: (messages: readonly T[]) => number | Promise<number>;
}

export interface FittedConversation<T> {
  readonly kept: readonly T[];
  /** What was left out, oldest first. */
  readonly dropped: readonly T[];
  /** Of `kept`. */
  readonly numTokens: number;
}

/**
 * Drops whole exchanges, a user's message and what was said to it, as few as needed. Messages before the first user's, the
 * system's among them, and the last exchange always stay, even where they are over the budget by themselves.
 */
export async function fitConversation<T extends Turn>(
  messages: readonly T[],
  { budget, count }: ConversationBudget<T>,
): Promise<FittedConversation<T>> {
  const begins = messages.flatMap(({ role }, i) => (role === "user" ? [i] : []));
  const [start = messages.length] = begins;
  const without = (exchange: number): T[] => [
    ...messages.slice(0, start),
    ...messages.slice(begins[exchange] ?? messages.length),
  ];
  let [low, high] = [0, Math.max(0, begins.length - 1)];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((await count(without(middle))) <= budget) high = middle;
    else low = middle + 1;
  }
  const kept = without(low);
  return { kept, dropped: messages.slice(start, begins[low] ?? start), numTokens: await count(kept) };
}
