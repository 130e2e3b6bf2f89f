/** @file A network as a chain of stages: graphs whose inputs and outputs are values of the network, by name. */

import { ConfigError } from "../base/errors.js";
import { type HostTensor, zeros } from "../base/host-tensor.js";
import { type Aval, evaluateShape, type Graph } from "../graph/index.js";
import type { Parameters } from "../nn/index.js";
import type { Feeds, Runtime } from "../runtime/index.js";

/** One graph at its place in the chain. Stages of one kind share the graph, so that it is compiled once. */
export interface Stage {
  readonly graph: Graph;
  /** Full names of the graph's inputs that are parameters, by the name of the input. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Names of the values that the other inputs read. A value that no stage makes is fed. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Names of the values that the outputs become. */
  readonly outputs: Readonly<Record<string, string>>;
}

/** Values that a chain reads and no stage of it makes. */
export function leavesOf(stages: readonly Stage[]): Map<string, Aval> {
  const made = new Set(stages.flatMap(({ outputs }) => Object.values(outputs)));
  const leaves = new Map<string, Aval>();
  for (const { graph, inputs } of stages) {
    for (const [local, name] of Object.entries(inputs)) if (!made.has(name)) leaves.set(name, graph.inputs[local]!);
  }
  return leaves;
}

/** A parameter by name. @throws ConfigError when it is not there. */
export function parameterNamed(parameters: Parameters, name: string): HostTensor {
  const found = parameters.get(name);
  if (!found) {
    throw new ConfigError(
      `parameter "${name}" is missing; there are ${parameters.size}, among them: ${[...parameters.keys()].slice(0, 5).join(", ")}`,
    );
  }
  return found;
}

/**
 * Runs a chain once and returns the values of `keep`. Others are let go after their last reader.
 * @throws ConfigError when a value of `keep` is not made, a parameter is missing or a feed is not there.
 */
export async function runStages(
  runtime: Runtime,
  stages: readonly Stage[],
  parameters: Parameters,
  feeds: Feeds,
  keep: readonly string[],
): Promise<Record<string, HostTensor>> {
  const values = new Map(Object.entries(feeds));
  const lastReader = new Map<string, number>();
  for (const [i, { inputs }] of stages.entries()) {
    for (const name of Object.values(inputs)) lastReader.set(name, i);
  }
  for (const [i, { graph, parameters: weights, inputs, outputs }] of stages.entries()) {
    const fed: Record<string, HostTensor> = {};
    for (const [local, name] of Object.entries(weights)) fed[local] = parameterNamed(parameters, name);
    for (const [local, name] of Object.entries(inputs)) {
      const value = values.get(name);
      if (!value) throw new ConfigError(`stage "${graph.name}": no value "${name}" was fed or computed before it`);
      fed[local] = value;
    }
    const made = await (await runtime.compile(graph)).run(fed);
    for (const [local, name] of Object.entries(outputs)) values.set(name, made[local]!);
    for (const name of Object.values(inputs)) {
      if (lastReader.get(name) === i && !keep.includes(name)) values.delete(name);
    }
  }
  return Object.fromEntries(
    keep.map((name) => {
      const value = values.get(name);
      if (!value)
        throw new ConfigError(`no stage makes a value "${name}"; there are: ${[...values.keys()].join(", ")}`);
      return [name, value];
    }),
  );
}

/** A buffer for a value of known size. */
export function bufferFor({ dtype, shape }: Aval): HostTensor {
  return zeros(dtype, evaluateShape(shape, {}));
}
