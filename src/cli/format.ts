/** @file Numbers and tables as people read them. */

export function bytes(count: number): string {
  if (count < 2 ** 20) return `${(count / 2 ** 10).toFixed(0)} kB`;
  if (count < 2 ** 30) return `${(count / 2 ** 20).toFixed(0)} MB`;
  return `${(count / 2 ** 30).toFixed(2)} GB`;
}

export function seconds(count: number): string {
  if (count < 100) return `${count.toFixed(count < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(count / 60);
  return minutes < 60
    ? `${minutes} min ${Math.round(count % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** 1234567 → 1,234,567. */
export function integer(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** 1_070_000 → 1.07 M. */
export function parameters(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(2)} B`;
  return count >= 1e6 ? `${(count / 1e6).toFixed(2)} M` : `${Math.round(count / 1e3)} k`;
}

/** "1 document", "2 documents". */
export function plural(count: number, noun: string): string {
  return `${integer(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Two columns, the first padded. */
export function rows(entries: readonly (readonly [string, string])[], indent = "  "): string {
  const width = Math.max(...entries.map(([label]) => label.length));
  return entries.map(([label, value]) => `${indent}${label.padEnd(width)}  ${value}`).join("\n");
}

/** Columns under a header: the first to the left, numbers to the right. */
export function table(header: readonly string[], lines: readonly (readonly string[])[], indent = "  "): string {
  const widths = header.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i]!.length)));
  const padded = (line: readonly string[]): string =>
    indent + line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ");
  return [header, ...lines].map(padded).join("\n");
}
