/** @file The 256 values of dynamic 8-bit quantisation (Dettmers et al. 2021, arXiv:2110.02861, section 1.2). */

const DECADES = 7;

/**
 * The codes in order, with 0 and 1 among them: dense near zero, where a decade each has half as many as the next larger
 * one. Signed: 2^i codes of each sign in decade i, the middles of equal parts of 10^(i-6) · [0.1, 1]; unsigned: twice as
 * many, positive alone. Rounded step by step as bitsandbytes rounds its "dynamic map".
 */
export function dynamicCodes(isSigned: boolean): Float32Array {
  const codes = [0, 1];
  for (let decade = 0; decade < DECADES; decade++) {
    const count = 2 ** (isSigned ? decade : decade + 1);
    const scale = Math.fround(10 ** (decade - DECADES + 1));
    for (let i = 0; i < count; i++) {
      const middle = scale * Math.fround(Math.fround(boundary(i, count) + boundary(i + 1, count)) / 2);
      codes.push(middle);
      if (isSigned) codes.push(-middle);
    }
  }
  return Float32Array.from(codes).sort();
}

/** Point `i` of `count` equal steps from 0.1 to 1, from the nearer end, each rounded once to float32 (torch.linspace). */
function boundary(i: number, count: number): number {
  const start = Math.fround(0.1);
  const step = Math.fround(Math.fround(1 - start) / count);
  return Math.fround(2 * i < count ? start + step * i : 1 - step * (count - i));
}
