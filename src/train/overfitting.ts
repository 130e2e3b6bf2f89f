/** @file When a run began to learn its examples by heart: what is learned falls on, what is held out rises. */

export interface Overfitting {
  /** The evaluation after which held-out loss was never as low again. */
  readonly step: number;
  /** Held-out loss there and at the last evaluation. */
  readonly lowest: number;
  readonly last: number;
  /** Mean loss of as many training steps before that evaluation, and of those at the end. */
  readonly trainingThen: number;
  readonly trainingNow: number;
}

/** Growth of held-out loss that is more than chance of a small set. */
const GROWTH = 1.01;

/**
 * Whether training loss kept falling while held-out loss rose by more than 1% over its lowest.
 * @param evaluations held-out losses, step 0 too, in order.
 * @param losses of training steps: the loss of step n is the nth.
 */
export function overfitting(
  evaluations: readonly { readonly step: number; readonly loss: number }[],
  losses: readonly number[],
): Overfitting | undefined {
  const lowest = evaluations.reduce((best, next) => (next.loss < best.loss ? next : best), evaluations[0]!);
  const last = evaluations.at(-1);
  if (!last || last.loss <= GROWTH * lowest.loss) return undefined;
  const since = losses.slice(lowest.step);
  const count = Math.min(since.length, Math.max(1, lowest.step));
  const trainingThen = mean(losses.slice(Math.max(0, lowest.step - count), Math.max(count, lowest.step)));
  const trainingNow = mean(since.slice(-count));
  if (!(trainingNow < trainingThen)) return undefined;
  return { step: lowest.step, lowest: lowest.loss, last: last.loss, trainingThen, trainingNow };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
