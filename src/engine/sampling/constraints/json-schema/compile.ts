/** @file JSON Schemas as expressions: every text of the expression is a value that the schema allows. */

import { ConfigError, UnsupportedError } from "../../../../base/errors.js";
import {
  choice,
  type Expression,
  nothing,
  oneOfTexts,
  optional,
  type Rule,
  reference,
  repeat,
  sequence,
} from "../expression.js";
import {
  booleanText,
  colon,
  comma,
  keyExcept,
  listOf,
  nullText,
  stringOf,
  stringText,
  valueText,
} from "../json-text.js";
import { regexExpression, searchExpression } from "../regex.js";
import { areDisjoint } from "./disjoint.js";
import { formats } from "./formats.js";
import { numberExpression } from "./numbers.js";
import {
  at,
  checkAlone,
  isOfType,
  type JsonSchema,
  type JsonType,
  readSchema,
  resolve,
  type SchemaKeywords,
  typeOfValue,
  typesOf,
} from "./schema.js";

/** See `jsonSchemaConstraint` for what is followed. @param path what errors call the schema's top. */
export function schemaExpression(root: JsonSchema, path = "#"): Expression {
  return new SchemaCompiler(root).of(root, path);
}

/** Branches of `oneOf` are compared each with each. */
const maxDisjoint = 64;

class SchemaCompiler {
  readonly #root: JsonSchema;
  /** One rule per schema object, so that references may go round in circles. */
  readonly #rules = new Map<unknown, Rule>();

  constructor(root: JsonSchema) {
    this.#root = root;
  }

  of(schema: JsonSchema, path: string): Expression {
    if (schema === true) return valueText;
    if (schema === false) return nothing;
    const known = this.#rules.get(schema);
    if (known !== undefined) return reference(known);
    const rule: Rule = { name: at(path), body: nothing };
    this.#rules.set(schema, rule);
    rule.body = this.#body(readSchema(schema, path), path);
    return reference(rule);
  }

  #body(schema: SchemaKeywords, path: string): Expression {
    const { $ref, anyOf, oneOf, allOf } = schema;
    if ($ref !== undefined) {
      checkAlone(schema, "$ref", [], path);
      return this.of(resolve(this.#root, $ref, path), $ref);
    }
    if (schema.const !== undefined || schema.enum !== undefined) return values(schema, path);
    for (const [keyword, branches] of Object.entries({ anyOf, oneOf, allOf })) {
      if (branches === undefined) continue;
      checkAlone(schema, keyword as "anyOf" | "oneOf" | "allOf", [], path);
      if (keyword === "oneOf") this.#checkDisjoint(branches, path);
      return choice(branches.map((branch, i) => this.of(branch, `${path}/${keyword}/${i}`)));
    }
    return choice(typesOf(schema).map((type) => this.#ofType(type, schema, path)));
  }

  #ofType(type: JsonType, schema: SchemaKeywords, path: string): Expression {
    switch (type) {
      case "object":
        return this.#object(schema, path);
      case "array":
        return this.#array(schema, path);
      case "string":
        return strings(schema, path);
      case "number":
      case "integer":
        return numberExpression(schema, type === "integer", path);
      case "boolean":
        return booleanText;
      case "null":
        return nullText;
    }
  }

  #checkDisjoint(branches: readonly JsonSchema[], path: string): void {
    if (branches.length > maxDisjoint) {
      throw new UnsupportedError(
        `${at(path)}: oneOf of ${branches.length} branches takes too long to tell apart; use anyOf, or at most ${maxDisjoint}`,
      );
    }
    for (const [i, branch] of branches.entries()) {
      const twin = branches.findIndex((other, j) => j > i && !areDisjoint(this.#root, branch, other, path));
      if (twin >= 0) {
        throw new UnsupportedError(
          `${at(path)}: branches ${i} and ${twin} of oneOf may allow the same value; use anyOf, or tell them apart by type or by a required property with const`,
        );
      }
    }
  }

  /** Properties come in the order of the schema, then others where `additionalProperties` says so. */
  #object(schema: SchemaKeywords, path: string): Expression {
    const { properties = {}, required = [], additionalProperties } = schema;
    const others = additionalProperties ?? Object.keys(properties).length === 0;
    const unnamed = required.filter((name) => !Object.hasOwn(properties, name));
    if (others === false && unnamed.length > 0)
      throw new ConfigError(`${at(path)}: ${unnamed[0]} is required but not in properties; add it there`);
    const members = [
      ...Object.entries(properties).map(([name, value]) => ({ name, value, path: `${path}/properties/${name}` })),
      ...unnamed.map((name) => ({ name, value: others, path: `${path}/additionalProperties` })),
    ];
    const other = this.of(others, `${path}/additionalProperties`);
    const otherMember = sequence(keyExcept(members.map(({ name }) => name)), colon, other);
    const pieces = members.map(({ name, value, path: place }): Member => {
      const pair = sequence(JSON.stringify(name), colon, this.of(value, place));
      return { pair, isRequired: required.includes(name) };
    });
    return sequence("{", membersOf(pieces, others === false ? nothing : otherMember, path), "}");
  }

  /** Without `items`, nothing follows `prefixItems`. */
  #array({ items, prefixItems = [], minItems = 0, maxItems }: SchemaKeywords, path: string): Expression {
    const isClosed = items === false || (items === undefined && prefixItems.length > 0);
    const most = Math.min(
      maxItems ?? Number.POSITIVE_INFINITY,
      isClosed ? prefixItems.length : Number.POSITIVE_INFINITY,
    );
    if (minItems > most)
      throw new ConfigError(`${at(path)}: an array of at least ${minItems} and at most ${most} items does not exist`);
    const first = prefixItems.slice(0, most).map((item, i) => this.of(item, `${path}/prefixItems/${i}`));
    const rest = isClosed ? nothing : this.of(items ?? true, `${path}/items`);
    const numFirst = first.length;
    if (numFirst === 0) return sequence("[", listOf(rest, minItems, most), "]");
    let tail = repeat(sequence(comma, rest), Math.max(0, minItems - numFirst), most - numFirst);
    for (const [i, item] of [...first.entries()].reverse()) {
      const from = sequence(...(i === 0 ? [] : [comma]), item, tail);
      tail = i < minItems ? from : optional(from);
    }
    return sequence("[", tail, "]");
  }
}

interface Member {
  readonly pair: Expression;
  readonly isRequired: boolean;
}

/** Required members and any of the others, in order, with commas between them; then any number of `other`. */
function membersOf(members: readonly Member[], other: Expression, path: string): Expression {
  /** What may follow once something stands there, from each member on. */
  let after = reference({ name: `further members, ${at(path)}`, body: repeat(sequence(comma, other), 0) });
  /** The same where nothing stands there yet. */
  let fresh: Expression = optional(sequence(other, after));
  for (const { pair, isRequired } of [...members].reverse()) {
    const next = sequence(pair, after);
    fresh = isRequired ? next : choice([next, fresh]);
    const further = sequence(comma, next);
    const body = isRequired ? further : choice([further, after]);
    after = reference({ name: `further members, ${at(path)}`, body });
  }
  return fresh;
}

function values(schema: SchemaKeywords, path: string): Expression {
  const keyword = schema.const === undefined ? "enum" : "const";
  checkAlone(schema, keyword, ["type"], path);
  const types = typesOf(schema);
  const all = schema.const === undefined ? (schema.enum ?? []) : [schema.const];
  const allowed = all.filter((value) => schema.type === undefined || isOfType(typeOfValue(value), types));
  if (allowed.length === 0)
    throw new ConfigError(`${at(path)}: no value of ${keyword} is of the type ${types.join(" or ")}; add one`);
  return oneOfTexts(allowed.map((value) => JSON.stringify(value)));
}

function strings({ minLength, maxLength, pattern, format }: SchemaKeywords, path: string): Expression {
  const hasLength = minLength !== undefined || maxLength !== undefined;
  if (hasLength && (pattern !== undefined || format !== undefined)) {
    throw new UnsupportedError(
      `${at(path)}: a constraint can follow one of pattern, format, and minLength with maxLength; put the length into the pattern`,
    );
  }
  // beside a pattern, a format is a remark (draft 2020-12, vocabulary format-annotation), as zod writes both
  if (pattern !== undefined) return stringOf(searchExpression(pattern));
  if (format !== undefined) return stringOf(regexExpression(formatPattern(format, path)));
  const [least, most] = [minLength ?? 0, maxLength ?? Number.POSITIVE_INFINITY];
  if (least > most) throw new ConfigError(`${at(path)}: minLength ${least} is above maxLength ${most}`);
  return stringText(least, most);
}

function formatPattern(format: string, path: string): string {
  const pattern = Object.hasOwn(formats, format) ? formats[format] : undefined;
  if (pattern === undefined)
    throw new UnsupportedError(`${at(path)}: unknown format ${format}; known are ${Object.keys(formats).join(", ")}`);
  return pattern;
}
