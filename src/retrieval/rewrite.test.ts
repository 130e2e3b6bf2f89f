/** @file What questions are split into. */
import { expect, it } from "vitest";
import { splitQuestion } from "./rewrite.js";

it.each<[string, string[]]>([
  ["How do I validate a request body?", ["validate request body"]],
  [
    "How do I validate a request body and where are hooks registered?",
    ["How do I validate a request body", "where are hooks registered", "validate request body hooks registered"],
  ],
  [
    "Who wrote the first report, and when was the second printed?",
    ["Who wrote the first report", "when was the second printed"],
  ],
  ["Where do hooks run, or how are plugins loaded", ["Where do hooks run", "how are plugins loaded"]],
  ["What is TiDB?", []],
  ["Salt and pepper", ["Salt pepper"]],
  ["如何读取历史数据，以及如何提交事务？", ["如何读取历史数据", "如何提交事务"]],
  [
    "¿Qué es un índice invertido y cómo se construye la lista?",
    ["¿Qué es un índice invertido", "cómo se construye la lista"],
  ],
  ["", []],
  ["???", []],
])("%s", (question, expected) => {
  const split = splitQuestion(question);
  for (const part of expected) expect(split).toContain(part);
  if (expected.length === 0) expect(split).toEqual([]);
  expect(split).not.toContain(question);
});
