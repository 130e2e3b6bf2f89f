/** @file A chat made ready to be answered, whoever asks: a route of the server or a program in this process. */

import { ChatAnswer } from "./chat-answer.js";
import { ApiError } from "./errors.js";
import type { ChatTurn, Generation, TextConstraint, TextRequest, TextService } from "./service.js";
import { toolCallFormats } from "./tool-calls/index.js";
import { answerConstraint, openingOf, type ToolPlan, type ToolUse } from "./tool-plan.js";

export interface ChatJob extends Omit<TextRequest, "prompt" | "seed" | "constraint" | "keepSpecialTokens"> {
  readonly messages: readonly ChatTurn[];
  readonly plan: ToolPlan;
  /** More variables for the chat template. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** What an answer that is no call must be. */
  readonly constraint?: TextConstraint;
}

export interface ReadyChat {
  /** How the model writes calls; undefined where it is to write none. */
  readonly use: ToolUse | undefined;
  /** One answer; nothing is computed before its first piece is asked for. @throws as `TextService.generate`. */
  generate(seed: number): Promise<Generation>;
  /** Reads one answer. */
  reader(): ChatAnswer;
}

/** @throws ApiError for tools that the model's template does not know, or a form that cannot be held. */
export async function readyChat(
  service: TextService,
  { model, messages, plan, variables, constraint, ...rest }: ChatJob,
): Promise<ReadyChat> {
  const tools = plan.tools.map(({ definition }) => definition);
  const chat = await service.renderChat({ model, messages, tools, variables });
  const use = tools.length === 0 ? undefined : { plan, format: formatOf(model, chat.toolCalls) };
  const held = answerConstraint(use, constraint);
  const request = {
    ...rest,
    model,
    prompt: { kind: "chat", text: chat.text + (use ? openingOf(use) : "") } as const,
    ...(held && { constraint: held }),
    keepSpecialTokens: use !== undefined,
  };
  return {
    use,
    generate: (seed) => service.generate({ ...request, seed }),
    reader: () => new ChatAnswer(use),
  };
}

function formatOf(model: string, name: keyof typeof toolCallFormats | undefined): ToolUse["format"] {
  if (name !== undefined) return toolCallFormats[name];
  throw new ApiError(
    400,
    `the chat template of ${model} has no tool calls in a form that is known (${Object.keys(toolCallFormats).join(", ")}); leave tools out`,
    { code: "unsupported_parameter", param: "tools" },
  );
}
