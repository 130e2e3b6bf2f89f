/**
 * @file The order under which a model's answers are least one-sided: entropy over probing questions, without any label
 * (Lu et al. 2021, arXiv:2104.08786, section 3.2).
 */

import { ConfigError } from "../../base/errors.js";
import type { Rng } from "../../base/rng.js";

export interface EntropyOrderOptions<Item, Probe> {
  /** Questions like those to come; without labels. */
  readonly probes: readonly Probe[];
  /** Probabilities of the labels after the demonstrations and the probe. */
  score(demonstrations: readonly Item[], probe: Probe): Promise<readonly number[]>;
  /** `global`: entropy of how often each label is the answer (eq. 5). `local`: mean entropy of each answer (eq. 7). Default "global". */
  readonly entropy?: "global" | "local";
  /** Orders that are tried: all where there are no more, else so many that are drawn. Default 24, the paper's. */
  readonly maxOrders?: number;
  readonly rng: Rng;
}

/** @throws ConfigError without probes. */
export async function byEntropy<Item, Probe>(
  items: readonly Item[],
  { probes, score, entropy = "global", maxOrders = 24, rng }: EntropyOrderOptions<Item, Probe>,
): Promise<{ readonly order: readonly Item[]; readonly entropy: number }> {
  if (probes.length === 0) throw new ConfigError("order by entropy: there are no probes; give some questions");
  let best: { readonly order: readonly Item[]; readonly entropy: number } | undefined;
  for (const order of ordersOf(items, maxOrders, rng)) {
    const answers: (readonly number[])[] = [];
    for (const probe of probes) answers.push(await score(order, probe));
    const found = entropy === "local" ? meanEntropy(answers) : entropyOf(shares(answers));
    if (!best || found > best.entropy) best = { order, entropy: found };
  }
  return best!;
}

/** All orders, or as many different ones as `most`. */
function ordersOf<Item>(items: readonly Item[], most: number, rng: Rng): (readonly Item[])[] {
  const count = items.reduce((product, _, i) => product * (i + 1), 1);
  if (count <= most) return permutations(items);
  const seen = new Map<string, readonly Item[]>();
  while (seen.size < most) {
    const places = rng.shuffle(items.map((_, i) => i));
    seen.set(
      places.join(),
      places.map((i) => items[i]!),
    );
  }
  return [...seen.values()];
}

function permutations<Item>(items: readonly Item[]): (readonly Item[])[] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}

/** How often each label is the likeliest. */
function shares(answers: readonly (readonly number[])[]): number[] {
  const counts = answers[0]!.map(() => 0);
  for (const answer of answers) counts[answer.indexOf(Math.max(...answer))]! += 1 / answers.length;
  return counts;
}

const meanEntropy = (answers: readonly (readonly number[])[]): number =>
  answers.reduce((sum, answer) => sum + entropyOf(answer), 0) / answers.length;

const entropyOf = (shares: readonly number[]): number =>
  -shares.reduce((sum, share) => (share > 0 ? sum + share * Math.log(share) : sum), 0);
