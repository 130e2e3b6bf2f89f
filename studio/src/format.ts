/** @file Numbers as people read them. */

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

export const integer = (value: number): string => whole.format(value);

export const plural = (count: number, noun: string): string => `${integer(count)} ${noun}${count === 1 ? "" : "s"}`;

/** 1,536,000,000 → 1.43 GB (powers of 1024). */
export function bytes(value: number): string {
  if (value < 2 ** 10) return `${integer(value)} B`;
  if (value < 2 ** 20) return `${significant(value / 2 ** 10)} kB`;
  if (value < 2 ** 30) return `${significant(value / 2 ** 20)} MB`;
  return `${significant(value / 2 ** 30)} GB`;
}

/** 135,000,000 → 135 M. */
export function count(value: number): string {
  if (value < 1e3) return integer(value);
  if (value < 1e6) return `${significant(value / 1e3)} k`;
  if (value < 1e9) return `${significant(value / 1e6)} M`;
  return `${significant(value / 1e9)} B`;
}

export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 90) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** Three digits that count, without exponents. */
export const significant = (value: number): string =>
  value >= 100 ? integer(value) : Number(value.toPrecision(3)).toString();
