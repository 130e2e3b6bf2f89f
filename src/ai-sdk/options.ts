/** @file Settings of the AI SDK as a chat of the text service, and what is said of those that have no effect here. */

import type { LanguageModelV3CallOptions, SharedV3ProviderOptions, SharedV3Warning } from "@ai-sdk/provider";
import { z } from "zod";
import { ConfigError } from "../base/errors.js";
import type { ChatJob } from "../server/openai/ready-chat.js";
import { samplingRequest } from "../server/openai/sampling-request.js";
import type { ServedModel, TextConstraint } from "../server/openai/service.js";
import { type PlannedTool, planTools, type ToolChoice } from "../server/openai/tool-plan.js";
import { chatTurnsOf } from "./prompt.js";

/** The name under which providerOptions and providerMetadata stand. */
export const providerName = "tessera";

const optionsSchema = z.strictObject({
  /** Only tokens at least this likely relative to the likeliest, from 0 to 1. */
  minP: z.number().min(0).max(1).optional(),
  /** Above 0; 1 changes nothing. */
  repetitionPenalty: z.number().gt(0).optional(),
  /** Whether one answer may hold several calls. */
  parallelToolCalls: z.boolean().default(true),
  /** More variables for the chat template, such as `enable_thinking`. */
  templateVariables: z.record(z.string(), z.unknown()).default({}),
});

/** What `providerOptions.tessera` takes. */
export type TesseraOptions = z.input<typeof optionsSchema>;

export interface MappedCall {
  readonly job: ChatJob;
  readonly warnings: SharedV3Warning[];
}

/**
 * @throws ConfigError naming an option of `providerOptions.tessera` that is unknown or wrong; UnsupportedError for a prompt
 * that is not text; ApiError for a tool that is named and not there.
 */
export function mappedCall(model: ServedModel, options: LanguageModelV3CallOptions): MappedCall {
  const { minP, repetitionPenalty, parallelToolCalls, templateVariables } = tesseraOptions(options.providerOptions);
  const { tools, warnings } = plannedTools(options);
  const constraint = constraintOf(options);
  const { temperature, topP, topK, presencePenalty, frequencyPenalty, maxOutputTokens } = options;
  const given = { temperature, topP, topK, minP, repetitionPenalty, presencePenalty, frequencyPenalty };
  return {
    warnings,
    job: {
      model: model.id,
      messages: chatTurnsOf(options.prompt),
      plan: planTools(tools, choiceOf(options), parallelToolCalls),
      variables: templateVariables,
      sampling: samplingRequest(given, model.defaults),
      stop: options.stopSequences ?? [],
      signal: options.abortSignal ?? new AbortController().signal,
      ...(maxOutputTokens !== undefined && { maxTokens: maxOutputTokens }),
      ...(constraint && { constraint }),
    },
  };
}

function tesseraOptions(given: SharedV3ProviderOptions | undefined): z.output<typeof optionsSchema> {
  const result = optionsSchema.safeParse(given?.[providerName] ?? {});
  if (result.success) return result.data;
  throw new ConfigError(`providerOptions.${providerName}: ${z.prettifyError(result.error)}`);
}

function plannedTools({ tools = [] }: LanguageModelV3CallOptions) {
  const warnings: SharedV3Warning[] = [];
  const planned = tools.flatMap((tool): PlannedTool[] => {
    if (tool.type === "provider") {
      warnings.push({
        type: "unsupported",
        feature: `tool ${tool.id}`,
        details: "a model here has no tools of its own",
      });
      return [];
    }
    const { name, description, inputSchema, inputExamples, strict } = tool;
    if (inputExamples?.length) {
      const details = "chat templates have no place for examples; put them into the description";
      warnings.push({ type: "unsupported", feature: `inputExamples of the tool ${name}`, details });
    }
    const called = { name, ...(description !== undefined && { description }), parameters: { ...inputSchema } };
    return [{ definition: { type: "function", function: called }, isStrict: strict === true }];
  });
  return { tools: planned, warnings };
}

function choiceOf({ toolChoice = { type: "auto" } }: LanguageModelV3CallOptions): ToolChoice {
  return toolChoice.type === "tool" ? { name: toolChoice.toolName } : toolChoice.type;
}

function constraintOf({ responseFormat }: LanguageModelV3CallOptions): TextConstraint | undefined {
  if (responseFormat?.type !== "json") return undefined;
  const { schema } = responseFormat;
  return schema ? { type: "json_schema", schema: { ...schema } } : { type: "json" };
}
