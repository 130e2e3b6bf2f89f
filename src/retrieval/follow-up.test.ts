/** @file What a question takes from those before it. */
import { expect, it } from "vitest";
import { followUp } from "./follow-up.js";

it.each<[string, readonly string[], string | undefined]>([
  ["What is its default?", ["What does bodyLimit do?"], "What is its default? bodyLimit"],
  ["Why?", ["How long does the kiln cool?", "And after the second firing?"], "Why? long kiln cool second firing"],
  // what the question has itself, in whatever form, is not said twice
  ["Are pumps loud?", ["How loud is the pump?"], undefined],
  ["Is the valve loud?", ["How loud is the pump?"], "Is the valve loud? pump"],
  // two questions back, no further
  ["And then?", ["one kiln", "two pumps", "three valves"], "And then? two pumps three valves"],
  ["为什么？", ["釉料在多少度时熔化？"], "为什么？ 釉料在多少度时熔化"],
  ["它有多重？", ["水泵", "水泵"], "它有多重？ 水泵"],
  ["What is the pump?", [], undefined],
  ["What is the pump?", ["And what about it?"], undefined],
])("%s after %j", (question, before, expected) => {
  expect(followUp(question, before)).toBe(expected);
});
