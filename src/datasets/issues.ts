/** @file What a schema finds wrong with a row, as paths and sentences. */

import type { z } from "zod";

export interface Issue {
  /** `messages[2].content`; empty for the row itself. */
  readonly path: string;
  readonly message: string;
}

export interface RowIssues {
  readonly faults: readonly Issue[];
  /** Paths of the fields that the format does not have. */
  readonly unknown: readonly (readonly PropertyKey[])[];
}

/** Splits what is wrong from what is only unknown. Of a union's branches the one that went deepest is reported. */
export function issuesOf(error: z.ZodError): RowIssues {
  const faults: Issue[] = [];
  const unknown: PropertyKey[][] = [];
  const visit = (issues: readonly z.core.$ZodIssue[], prefix: readonly PropertyKey[]): void => {
    for (const issue of issues) {
      const path = [...prefix, ...issue.path];
      if (issue.code === "unrecognized_keys") unknown.push(...issue.keys.map((key) => [...path, key]));
      else if (issue.code === "invalid_union" && issue.errors.some(goesDeeper)) visit(deepest(issue.errors), path);
      else faults.push({ path: writtenPath(path), message: messageOfIssue(issue) });
    }
  };
  visit(error.issues, []);
  return { faults, unknown };
}

/** `["messages", 2, "content"]` as `messages[2].content`. */
export function writtenPath(path: readonly PropertyKey[]): string {
  return path.map((key, i) => (typeof key === "number" ? `[${key}]` : `${i > 0 ? "." : ""}${String(key)}`)).join("");
}

type Branch = readonly z.core.$ZodIssue[];

const depth = (branch: Branch): number => Math.max(...branch.map(({ path }) => path.length));
/** Whether the value was of the branch's type, and something within it is wrong. */
const goesDeeper = (branch: Branch): boolean =>
  branch.every(({ path, code }) => path.length > 0 || code === "unrecognized_keys");

function deepest(branches: readonly Branch[]): Branch {
  return branches.filter(goesDeeper).reduce((best, branch) => (depth(branch) > depth(best) ? branch : best));
}

function messageOfIssue(issue: z.core.$ZodIssue): string {
  if (issue.code !== "invalid_union") return issue.message;
  const expected = issue.errors.flat().map(({ message }) => message.replace(/^Invalid input: /, ""));
  return expected.length === 0 ? issue.message : [...new Set(expected)].join(", or ");
}
