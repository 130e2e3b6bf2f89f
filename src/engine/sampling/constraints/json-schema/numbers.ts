/** @file Decimal texts of the numbers within bounds. */

import { ConfigError, UnsupportedError } from "../../../../base/errors.js";
import {
  characters,
  choice,
  type Expression,
  empty,
  nothing,
  oneOfTexts,
  optional,
  repeat,
  sequence,
  text,
} from "../expression.js";
import { digit, integerText, maxDigits, numberText } from "../json-text.js";
import { at, type SchemaKeywords } from "./schema.js";

/** The largest integer of fifteen digits. */
const largestInteger = 10 ** maxDigits - 1;
/** Multiples are written out one by one. */
const maxMultiples = 1000;

/** Bounds of a number; `isOpen`: the bound itself is outside. */
interface Bound {
  readonly value: number;
  readonly isOpen: boolean;
}

interface Bounds {
  readonly low: Bound | undefined;
  readonly high: Bound | undefined;
}

/**
 * The texts of numbers, or of integers, that a schema's bounds allow. Bounded numbers have no exponent.
 * @throws UnsupportedError for bounds of more than fifteen digits, and for multiples other than few integers.
 */
export function numberExpression(schema: SchemaKeywords, isInteger: boolean, path: string): Expression {
  const bounds = boundsOf(schema);
  if (schema.multipleOf !== undefined && !(isInteger && schema.multipleOf === 1))
    return multiples(schema.multipleOf, bounds, path);
  if (bounds.low === undefined && bounds.high === undefined) return isInteger ? integerText : numberText;
  return isInteger ? integers(integerBounds(bounds, path)) : decimals(bounds, path);
}

function boundsOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: SchemaKeywords): Bounds {
  const stricter = (
    closed: number | undefined,
    open: number | undefined,
    isStricter: (a: number, b: number) => boolean,
  ) => {
    if (open !== undefined && (closed === undefined || !isStricter(closed, open))) return { value: open, isOpen: true };
    return closed === undefined ? undefined : { value: closed, isOpen: false };
  };
  return {
    low: stricter(minimum, exclusiveMinimum, (a, b) => a > b),
    high: stricter(maximum, exclusiveMaximum, (a, b) => a < b),
  };
}

type IntegerBounds = readonly [low: number, high: number];

function integerBounds({ low, high }: Bounds, path: string): IntegerBounds {
  const least = low === undefined ? -largestInteger : low.isOpen ? Math.floor(low.value) + 1 : Math.ceil(low.value);
  const most = high === undefined ? largestInteger : high.isOpen ? Math.ceil(high.value) - 1 : Math.floor(high.value);
  if (least > most) throw new ConfigError(`${at(path)}: no integer is within its bounds; widen them`);
  if (least > largestInteger || most < -largestInteger) throw tooLarge(path);
  return [Math.max(least, -largestInteger), Math.min(most, largestInteger)];
}

function integers([low, high]: IntegerBounds): Expression {
  return choice([
    ...(high >= 0 ? [naturals(Math.max(low, 0), high)] : []),
    ...(low < 0 ? [sequence("-", naturals(Math.max(1, -high), -low))] : []),
  ]);
}

function multiples(step: number, bounds: Bounds, path: string): Expression {
  const isBounded = bounds.low !== undefined && bounds.high !== undefined;
  const [low, high] = isBounded ? integerBounds(bounds, path) : [0, Number.POSITIVE_INFINITY];
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  if (!Number.isInteger(step) || count > maxMultiples) {
    throw new UnsupportedError(
      `${at(path)}: multipleOf ${step} can be followed for integers with minimum and maximum that allow at most ${maxMultiples} values`,
    );
  }
  return oneOfTexts(Array.from({ length: Math.max(0, count) }, (_, i) => String((first + i) * step)));
}

/** Integers from `low` to `high`, both at least 0. */
function naturals(low: number, high: number): Expression {
  const options: Expression[] = [];
  for (let length = String(low).length; length <= String(high).length; length++) {
    const from = Math.max(low, length === 1 ? 0 : 10 ** (length - 1));
    options.push(equallyLong(String(from), String(Math.min(high, 10 ** length - 1))));
  }
  return choice(options);
}

/** Texts of digits between two as long. */
function equallyLong(low: string, high: string): Expression {
  if (/^0*$/.test(low) && /^9*$/.test(high)) return repeat(digit, low.length, low.length);
  const [first, last] = [Number(low[0]), Number(high[0])];
  const [lowRest, highRest] = [low.slice(1), high.slice(1)];
  if (first === last) return sequence(low[0]!, equallyLong(lowRest, highRest));
  const between = digits(first + 1, last - 1);
  return choice([
    sequence(low[0]!, equallyLong(lowRest, "9".repeat(lowRest.length))),
    ...(between === undefined ? [] : [sequence(between, repeat(digit, lowRest.length, lowRest.length))]),
    sequence(high[0]!, equallyLong("0".repeat(highRest.length), highRest)),
  ]);
}

function decimals({ low, high }: Bounds, path: string): Expression {
  const isEmpty =
    low !== undefined &&
    high !== undefined &&
    (low.value > high.value || (low.value === high.value && (low.isOpen || high.isOpen)));
  if (isEmpty) throw new ConfigError(`${at(path)}: no number is within its bounds; widen them`);
  const negated = (bound: Bound | undefined): Bound | undefined => bound && { ...bound, value: -bound.value };
  return choice([magnitudes(low, high, path), sequence("-", magnitudes(negated(high), negated(low), path))]);
}

/** Numbers from 0 on within bounds. */
function magnitudes(low: Bound | undefined, high: Bound | undefined, path: string): Expression {
  if (high !== undefined && high.value < 0) return nothing;
  const from = decimalOf(low === undefined || low.value < 0 ? { value: 0, isOpen: false } : low, path);
  if (from.whole > largestInteger) throw tooLarge(path);
  const isBounded = high !== undefined && high.value <= largestInteger;
  const to = isBounded ? decimalOf(high, path) : undefined;
  if (to !== undefined && from.whole === to.whole) return withFraction(from.whole, from.fraction, to.fraction);
  const lastWhole = to === undefined ? largestInteger : to.whole - 1;
  return choice([
    withFraction(from.whole, from.fraction, undefined),
    ...(from.whole < lastWhole
      ? [sequence(naturals(from.whole + 1, lastWhole), fractions(undefined, undefined, maxDigits))]
      : []),
    ...(to === undefined ? [] : [withFraction(to.whole, undefined, to.fraction)]),
  ]);
}

/** Digits after the point, without zeros at the end. */
interface Fraction {
  readonly digits: string;
  readonly isOpen: boolean;
}

function decimalOf({ value, isOpen }: Bound, path: string): { readonly whole: number; readonly fraction: Fraction } {
  const [mantissa = "", exponent = "0"] = String(value).split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  const shift = Number(exponent);
  const digits = shift < 0 ? "0".repeat(-shift - whole.length) + whole + fraction : fraction;
  const wholeDigits = shift < 0 ? "0" : String(Math.trunc(value));
  if (digits.length + (wholeDigits === "0" ? 0 : wholeDigits.length) > maxDigits) {
    throw new UnsupportedError(`${at(path)}: the bound ${value} has more than ${maxDigits} digits; round it`);
  }
  return { whole: Number(wholeDigits), fraction: { digits, isOpen } };
}

function withFraction(whole: number, low: Fraction | undefined, high: Fraction | undefined): Expression {
  // fifteen digits in all, so that a number beyond a bound is never rounded to it
  const numDigits = maxDigits - (whole === 0 ? 0 : String(whole).length);
  return sequence(String(whole), fractions(low, high, numDigits));
}

/** A point and at most `room` digits within bounds, or nothing where that is within them. */
function fractions(low: Fraction | undefined, high: Fraction | undefined, room: number): Expression {
  const more = sequence(".", nextDigits(low, high, room));
  if (room === 0) return canStop(low, high) ? empty : nothing;
  return canStop(low, high) ? optional(more) : more;
}

/** Whether zeros only are within the bounds. */
function canStop(low: Fraction | undefined, high: Fraction | undefined): boolean {
  const isLowEnough = high === undefined || high.digits !== "" || !high.isOpen;
  return isLowEnough && (low === undefined || (low.digits === "" && !low.isOpen));
}

/** One to `room` digits within bounds. */
function nextDigits(low: Fraction | undefined, high: Fraction | undefined, room: number): Expression {
  if (room === 0) return nothing;
  if (low === undefined && high === undefined) return repeat(digit, 1, room);
  const least = Number(low?.digits[0] ?? 0);
  const most = high === undefined ? 9 : Number(high.digits[0] ?? 0);
  const option = (digits: Expression, lowRest: Fraction | undefined, highRest: Fraction | undefined): Expression => {
    const more = nextDigits(lowRest, highRest, room - 1);
    return sequence(digits, canStop(lowRest, highRest) ? optional(more) : more);
  };
  const [lowRest, highRest] = [low && tail(low), high && tail(high)];
  if (least > most) return nothing;
  if (low !== undefined && high !== undefined && least === most) return option(text(String(least)), lowRest, highRest);
  const between = digits(low === undefined ? 0 : least + 1, high === undefined ? 9 : most - 1);
  return choice([
    ...(low === undefined ? [] : [option(text(String(least)), lowRest, undefined)]),
    ...(between === undefined ? [] : [option(between, undefined, undefined)]),
    ...(high === undefined ? [] : [option(text(String(most)), undefined, highRest)]),
  ]);
}

function tail({ digits, isOpen }: Fraction): Fraction {
  return { digits: digits.slice(1), isOpen };
}

function digits(first: number, last: number): Expression | undefined {
  if (first > last) return undefined;
  return first === last ? text(String(first)) : characters([[0x30 + first, 0x30 + last]]);
}

function tooLarge(path: string): UnsupportedError {
  return new UnsupportedError(`${at(path)}: numbers beyond ${largestInteger} cannot be written; narrow the bounds`);
}
