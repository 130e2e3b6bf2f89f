/** @file Dimensions: known sizes, names bound at run time, and whole-number polynomials of names ("2*batch*time+1"). */

import { ConfigError, ShapeError } from "../base/errors.js";

/** A size that is known, or the name of one that is bound when a program runs. Sums and products of names are names too. */
export type Dim = number | string;
export type Shape = readonly Dim[];
/** Sizes by name. */
export type DimBindings = Readonly<Record<string, number>>;

/** Coefficient by monomial; a monomial is the sorted names joined by "*", "" for the constant term. */
type Polynomial = Map<string, number>;

function parse(dim: Dim): Polynomial {
  if (typeof dim === "number") return new Map(dim === 0 ? [] : [["", dim]]);
  const terms: Polynomial = new Map();
  for (const [term] of dim.matchAll(/[+-]?[^+-]+/g)) {
    const factors = term.replace(/^[+-]/, "").split("*");
    const names = factors.filter((f) => !/^\d+$/.test(f)).sort();
    const scale = factors.filter((f) => /^\d+$/.test(f)).reduce((product, f) => product * Number(f), 1);
    addTerm(terms, names.join("*"), term.startsWith("-") ? -scale : scale);
  }
  return terms;
}

function addTerm(terms: Polynomial, monomial: string, coefficient: number): void {
  const sum = (terms.get(monomial) ?? 0) + coefficient;
  if (sum === 0) terms.delete(monomial);
  else terms.set(monomial, sum);
}

function print(terms: Polynomial): Dim {
  const constant = terms.get("") ?? 0;
  const monomials = [...terms.keys()].filter((m) => m !== "").sort();
  if (monomials.length === 0) return constant;
  const parts = monomials.map((m) => {
    const c = terms.get(m)!;
    return `${c < 0 ? "-" : "+"}${Math.abs(c) === 1 ? "" : `${Math.abs(c)}*`}${m}`;
  });
  if (constant !== 0) parts.push(constant < 0 ? `${constant}` : `+${constant}`);
  return parts.join("").replace(/^\+/, "");
}

/** a + b. */
export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a + b;
  const terms = parse(a);
  for (const [monomial, c] of parse(b)) addTerm(terms, monomial, c);
  return print(terms);
}

/** a · b. */
export function mulDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a * b;
  const terms: Polynomial = new Map();
  for (const [m, c] of parse(a)) {
    for (const [n, d] of parse(b)) {
      const names = [...m.split("*"), ...n.split("*")].filter((name) => name !== "");
      addTerm(terms, names.sort().join("*"), c * d);
    }
  }
  return print(terms);
}

/** a - b. */
export function subDims(a: Dim, b: Dim): Dim {
  return addDims(a, mulDims(b, -1));
}

/** Number of elements of a shape. */
export function shapeSize(shape: Shape): Dim {
  return shape.reduce<Dim>(mulDims, 1);
}

/** The terms of a dim as `[coefficient, names]`, for those who compute it at run time. */
export function dimTerms(dim: Dim): [number, string[]][] {
  return [...parse(dim)].map(([monomial, c]) => [c, monomial === "" ? [] : monomial.split("*")]);
}

/**
 * The size of a dim under `bindings`.
 * @throws ConfigError when a name is not bound.
 */
export function evaluateDim(dim: Dim, bindings: DimBindings): number {
  if (typeof dim === "number") return dim;
  let sum = 0;
  for (const [coefficient, names] of dimTerms(dim)) {
    let product = coefficient;
    for (const name of names) {
      const size = bindings[name];
      if (size === undefined)
        throw new ConfigError(`dimension "${name}" is not bound; bound are: ${Object.keys(bindings)}`);
      product *= size;
    }
    sum += product;
  }
  return sum;
}

/** A shape under `bindings`. */
export function evaluateShape(shape: Shape, bindings: DimBindings): number[] {
  return shape.map((dim) => evaluateDim(dim, bindings));
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/**
 * The shape that both broadcast to, by NumPy's rule: axes are aligned at the end, and 1 stretches.
 * @throws ShapeError naming the operation and both shapes.
 */
export function broadcastShapes(operation: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    throw new ShapeError(
      `${operation}: shapes [${a}] and [${b}] do not broadcast: axis ${i} has ${x} and ${y}; reshape or expand one of them`,
    );
  });
}

/** `axis` counted from the front; negative ones count from the end. @throws ShapeError when out of range. */
export function normalizeAxis(operation: string, axis: number, rank: number): number {
  const normalized = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || normalized < 0 || normalized >= rank) {
    throw new ShapeError(`${operation}: axis ${axis} does not exist in a tensor of rank ${rank}`);
  }
  return normalized;
}
