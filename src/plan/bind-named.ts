/** @file Programs bound to buffers by name. */

import type { Binding, Feeds, Program } from "../runtime/index.js";

/** Binds a program's inputs and outputs to those of `all` that carry their names. */
export function bindNamed(program: Program, all: Feeds): Binding {
  const pick = (names: object): Feeds =>
    Object.fromEntries(Object.keys(names).flatMap((name) => (all[name] ? [[name, all[name]]] : [])));
  return program.bind(pick(program.graph.inputs), pick(program.graph.outputs));
}
