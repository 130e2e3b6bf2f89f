/** @file Constraints of outputs, by name. */

import { ConfigError } from "../../../base/errors.js";
import type { Constraint } from "./constraint.js";
import { oneOfTexts } from "./expression.js";
import { formExpression, type TextForm } from "./form.js";
import { schemaExpression } from "./json-schema/compile.js";
import type { JsonSchema } from "./json-schema/schema.js";
import { objectText } from "./json-text.js";
import { regexExpression } from "./regex.js";
import { constrain } from "./token-constraint.js";
import type { TokenTrie } from "./token-trie.js";

export type { Constraint, ConstraintState } from "./constraint.js";
export { type TextForm, wordsOf } from "./form.js";
export type { JsonSchema } from "./json-schema/schema.js";
export { type TokenText, tokenBytes } from "./token-bytes.js";
export { TokenMask } from "./token-mask.js";
export { TokenTrie } from "./token-trie.js";

/**
 * One of a list of texts.
 * @throws ConfigError for an empty list, an empty choice, or one with half a character.
 */
export function choicesConstraint(choices: readonly string[], trie: TokenTrie): Constraint {
  if (choices.length === 0) throw new ConfigError("constraint: choices has no entry; give at least one");
  for (const entry of choices) {
    if (entry === "" || /\p{Surrogate}/u.test(entry))
      throw new ConfigError(`constraint: the choice ${JSON.stringify(entry)} is empty or holds half a character`);
  }
  return constrain(oneOfTexts(choices), trie);
}

/**
 * A text that a regular expression matches as a whole; see `regexExpression` for its syntax.
 * @throws UnsupportedError naming syntax that cannot be followed; ConfigError, CapacityError as `constrain`.
 */
export function regexConstraint(pattern: string, trie: TokenTrie): Constraint {
  return constrain(regexExpression(pattern), trie);
}

/**
 * A JSON text whose value a schema allows. Followed of draft 2020-12: type, enum, const, properties, required,
 * additionalProperties, items, prefixItems, minItems, maxItems, minLength, maxLength, pattern, format (ten of them; a
 * remark beside a pattern), minimum, maximum and their exclusive kin, multipleOf for few integers, anyOf, oneOf of
 * branches that exclude each other, allOf of one, $ref within the schema, $defs. Where a schema leaves open what may be
 * there, the narrower is written: properties come in the schema's order, none beside them unless `additionalProperties`
 * says so, nothing after `prefixItems` without `items`, numbers of at most fifteen digits on each side of the point.
 * @throws UnsupportedError naming keywords that cannot be followed; ConfigError for a schema that nothing satisfies.
 */
export function jsonSchemaConstraint(schema: JsonSchema, trie: TokenTrie): Constraint {
  return constrain(schemaExpression(schema), trie);
}

/** Any JSON object. */
export function jsonConstraint(trie: TokenTrie): Constraint {
  return constrain(objectText, trie);
}

/**
 * A text of a form.
 * @param begun what the form's text begins with and the prompt already holds. Default nothing.
 * @throws UnsupportedError, ConfigError for a schema in it as `jsonSchemaConstraint`, and when no text begins so.
 */
export function formConstraint(form: TextForm, trie: TokenTrie, begun = ""): Constraint {
  return constrain(formExpression(form), trie, begun);
}

/** Functions from what a request says to a constraint, by the request's word for it. */
export const constraints = {
  choices: choicesConstraint,
  regex: regexConstraint,
  jsonSchema: jsonSchemaConstraint,
  form: formConstraint,
  json: (_: true, trie: TokenTrie): Constraint => jsonConstraint(trie),
} as const;
