/** @file Prompts with places to fill in. */

import { ConfigError } from "../../base/errors.js";

/** A text with `{name}` where a value comes, or a function of the values. Other braces stay. */
export type Template = string | ((values: Readonly<Record<string, string>>) => string);

/**
 * Fills the places of a template.
 * @param values by name; a string template must use all of them.
 * @throws ConfigError for a place that has no value, or a value that has no place.
 */
export function fill(template: Template, values: Readonly<Record<string, string>>, name: string): string {
  if (typeof template === "function") return template(values);
  const used = new Set([...template.matchAll(/\{(\w+)\}/g)].map(([, place]) => place!));
  const known = Object.keys(values).map((place) => `{${place}}`);
  for (const place of used) {
    if (!(place in values))
      throw new ConfigError(`the ${name} template has {${place}}, but its values are ${known.join(", ")}`);
  }
  const missing = Object.keys(values).find((place) => !used.has(place));
  if (missing !== undefined)
    throw new ConfigError(`the ${name} template has no {${missing}}; it needs ${known.join(", ")}`);
  return template.replace(/\{(\w+)\}/g, (_, place: string) => values[place]!);
}

/**
 * A strategy's templates with those of the user in their places.
 * @throws ConfigError for one that the strategy does not have.
 */
export function chosenTemplates<T extends Readonly<Record<string, Template>>>(
  own: T,
  users: Readonly<Record<string, Template>> = {},
): T {
  const unknown = Object.keys(users).find((name) => !Object.hasOwn(own, name));
  if (unknown !== undefined)
    throw new ConfigError(`there is no template ${unknown} here; there are ${Object.keys(own).join(", ")}`);
  return { ...own, ...users };
}
