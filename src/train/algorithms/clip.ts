/** @file Clipping by the length of the gradient. */

/** The factor that brings a gradient down to the length `clipNorm`. */
export const clipScale = (gradientNorm: number, clipNorm: number | null): number =>
  clipNorm !== null && gradientNorm > clipNorm ? clipNorm / gradientNorm : 1;
