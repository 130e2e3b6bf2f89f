/** @file What the model may, must or must not call, and what that makes of its answer. */

import { ApiError } from "./errors.js";
import type { AnswerForm, TextConstraint, ToolDefinition } from "./service.js";
import { oneOf } from "./tool-calls/call-forms.js";
import type { CallForm, ToolCallFormat } from "./tool-calls/index.js";

export interface PlannedTool {
  readonly definition: ToolDefinition;
  /** Arguments are held to their schema wherever the function is called. */
  readonly isStrict: boolean;
}

export type ToolChoice = "auto" | "none" | "required" | { readonly name: string };

export interface ToolPlan {
  readonly tools: readonly PlannedTool[];
  /** The answer must be a call, of the function named or of any. */
  readonly forced: { readonly name?: string } | undefined;
  readonly isParallel: boolean;
}

/** Where tools are given: how calls are written, and what is wanted of them. */
export interface ToolUse {
  readonly format: ToolCallFormat;
  readonly plan: ToolPlan;
}

/** @throws ApiError where names stand twice or the choice is none of the tools. */
export function planTools(tools: readonly PlannedTool[], choice: ToolChoice, isParallel: boolean): ToolPlan {
  const names = tools.map(({ definition }) => definition.function.name);
  const twice = names.findIndex((name, i) => names.indexOf(name) !== i);
  if (twice >= 0) throw wrong(`tools.${twice}.function.name`, `two tools are called ${names[twice]}`);
  if (choice === "none") return { tools: [], forced: undefined, isParallel };
  if (choice === "auto") return { tools, forced: undefined, isParallel };
  if (tools.length === 0) throw wrong("tool_choice", "a call is asked for, but there are no tools");
  if (choice === "required") return { tools, forced: {}, isParallel };
  if (!names.includes(choice.name)) {
    throw wrong("tool_choice", `${choice.name} is none of the tools: ${names.join(", ")}`);
  }
  return { tools, forced: { name: choice.name }, isParallel };
}

/** Text that makes the model write a call: the end of the prompt, and the beginning of what is parsed. */
export function openingOf({ format, plan }: ToolUse): string {
  return plan.forced ? format.opening(plan.forced.name) : "";
}

/**
 * What holds an answer to its form: a call that must come has arguments of its schema; where a function is strict, so has
 * any call; an answer of `constraint` may be a call instead.
 * @returns undefined for a free answer.
 * @throws ApiError when a call must come and the answer must be of `constraint`, or for arguments that are no object.
 */
export function answerConstraint(
  use: ToolUse | undefined,
  constraint: TextConstraint | undefined,
): TextConstraint | undefined {
  if (!use) return constraint;
  const { forced, tools, isParallel } = use.plan;
  if (forced) {
    if (constraint) throw wrong("response_format", "the answer cannot be both a tool call and of this form");
    const functions = callForms(use.plan, () => true).filter(({ name }) => name === (forced.name ?? name));
    // a function that is named is called once, as OpenAI has it
    const form = use.format.calls(functions, isParallel && forced.name === undefined);
    return { type: "form", form, begun: openingOf(use) };
  }
  const functions = callForms(use.plan, ({ isStrict }) => isStrict);
  if (constraint) {
    return { type: "form", form: oneOf(formOf(constraint), use.format.calls(functions, isParallel)), begun: "" };
  }
  if (!tools.some(({ isStrict }) => isStrict)) return undefined;
  return { type: "form", form: use.format.answer(functions, isParallel), begun: "" };
}

function formOf(constraint: TextConstraint): AnswerForm {
  if (constraint.type === "form") return constraint.form;
  return constraint.type === "json"
    ? { type: "json" }
    : { type: "json", schema: constraint.schema, name: "response_format" };
}

/** Functions as calls have them; those that are not held to their schema take any object. */
function callForms({ tools }: ToolPlan, isHeld: (tool: PlannedTool) => boolean): CallForm[] {
  return tools.map((tool, i) => {
    const { name, parameters } = tool.definition.function;
    if (!isHeld(tool)) return { name, arguments: { type: "json" } };
    const at = `tools.${i}.function.parameters`;
    return { name, arguments: { type: "json", schema: objectSchema(parameters, at), name: at } };
  });
}

/** A function without a schema takes nothing. */
function objectSchema(parameters: Readonly<Record<string, unknown>> | undefined, at: string) {
  if (parameters === undefined) return { type: "object", properties: {}, additionalProperties: false };
  if (parameters.type === undefined) return { type: "object", ...parameters };
  if (parameters.type !== "object") throw wrong(at, "the schema of arguments must be of type object");
  return parameters;
}

function wrong(param: string, message: string): ApiError {
  return new ApiError(400, `${param}: ${message}`, { code: "invalid_value", param });
}
