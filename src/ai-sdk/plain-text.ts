/** @file A text service whose models go on from a prompt's text as it is, without a chat template. */

import { UnsupportedError } from "../base/errors.js";
import type { TextService } from "../server/openai/service.js";

/** Texts of several messages stand with an empty line between them; tools have no place there. */
export function plainTextService(service: TextService): TextService {
  return {
    concurrency: service.concurrency,
    models: () => service.models(),
    async renderChat({ model, messages, tools }) {
      if (tools.length > 0)
        throw new UnsupportedError(`${model}: tools need the model's chat template; ask it as a chat`);
      return { text: messages.map(({ content }) => content ?? "").join("\n\n"), toolCalls: undefined };
    },
    generate: ({ prompt, ...request }) =>
      service.generate({ ...request, prompt: prompt.kind === "chat" ? { kind: "plain", text: prompt.text } : prompt }),
  };
}
