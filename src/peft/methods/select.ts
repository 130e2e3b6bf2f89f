/** @file Parameters whose full names match a regular expression. */

import { z } from "zod";
import { ConfigError, messageOf } from "../../base/errors.js";
import { parameterSpecs } from "../../nn/index.js";
import { has } from "../groups.js";
import { selection } from "../selection.js";

const schema = z.object({
  /** A JavaScript regular expression; a name that contains a match is trained. */
  pattern: z.string().min(1),
});

export const select = selection<z.output<typeof schema>>({
  name: "select",
  schema,
  select: (base, { pattern }) => {
    const expression = compiled(pattern);
    const names = parameterSpecs(base).map(({ name }) => name);
    const found = names.filter((name) => expression.test(name));
    if (found.length === 0)
      throw new ConfigError(`no parameter's name matches /${pattern}/; ${has(base)}; one is called ${names.at(-1)}`);
    return found;
  },
});

function compiled(pattern: string): RegExp {
  try {
    return new RegExp(pattern, "u");
  } catch (error) {
    throw new ConfigError(`the pattern /${pattern}/ is no regular expression: ${messageOf(error)}`, { cause: error });
  }
}
