/** @file From the demonstration farthest from the question to the nearest, which then stands before it (arXiv:2101.06804, 4.3). */

/** @param near nearness of all candidates to the question. */
export const bySimilarity = (demonstrations: readonly number[], near: ArrayLike<number>): number[] =>
  demonstrations.toSorted((a, b) => near[a]! - near[b]!);
