/** @file A small network by hand on the public graph API: two interleaved half-moons, one hidden layer, gradient descent. */

import { type hostTensor, Rng, zeros } from "tessera-llm/base";
import { add, grad, graph, matmul, mul, reduceSum, scalar, sigmoid, sub, type Tensor, tanh } from "tessera-llm/graph";
import { Runtime } from "tessera-llm/runtime";

const rng = new Rng(7);
const POINTS = 400;
const HIDDEN = 16;

/** Points [POINTS, 2] on two half-moons, and which moon each is on [POINTS, 1]. */
function moons() {
  const x = zeros("float32", [POINTS, 2]);
  const label = zeros("float32", [POINTS, 1]);
  for (let i = 0; i < POINTS; i++) {
    const moon = i % 2;
    const angle = Math.PI * rng.uniform();
    const [side, up] = moon === 0 ? [Math.cos(angle), Math.sin(angle)] : [1 - Math.cos(angle), 0.5 - Math.sin(angle)];
    x.data[2 * i] = side + 0.1 * rng.normal();
    x.data[2 * i + 1] = up + 0.1 * rng.normal();
    label.data[i] = moon;
  }
  return { x, label };
}

/** Weights start small and random, biases at zero. */
function start(...shape: number[]) {
  const tensor = zeros("float32", shape);
  if (shape.length > 1) for (let i = 0; i < tensor.data.length; i++) tensor.data[i] = 0.5 * rng.normal();
  return tensor;
}

const parameters = { w1: start(2, HIDDEN), b1: start(HIDDEN), w2: start(HIDDEN, 1), b2: start(1) };
const float = (...shape: number[]) => ({ dtype: "float32" as const, shape });

/** p = σ(tanh(x w1 + b1) w2 + b2): the probability of the second moon. */
function network(t: Readonly<Record<string, Tensor>>): Tensor {
  const hidden = tanh(add(matmul(t.x!, t.w1!), t.b1!));
  return sigmoid(add(matmul(hidden, t.w2!), t.b2!));
}

const inputs: Record<string, ReturnType<typeof float>> = {
  x: float(POINTS, 2),
  label: float(POINTS, 1),
  w1: float(2, HIDDEN),
  b1: float(HIDDEN),
  w2: float(HIDDEN, 1),
  b2: float(1),
};

// one graph holds the forward pass, its gradient and the update: new values are old ones minus a step downhill
const step = graph("step", inputs, (t) => {
  const p = network(t);
  const difference = sub(p, t.label!);
  const loss = mul(reduceSum(mul(difference, difference), [0, 1]), 1 / POINTS);
  const names = Object.keys(parameters);
  const gradients = grad(
    [{ output: loss, cotangent: scalar(1) }],
    names.map((name) => t[name]!),
  );
  const updated = names.map((name, i) => [`new_${name}`, sub(t[name]!, mul(gradients[i]!, 2))] as const);
  return { loss, p, ...Object.fromEntries(updated) };
});

const runtime = await Runtime.open();
const program = await runtime.compile(step);
const data = moons();
let values: Record<string, ReturnType<typeof hostTensor>> = parameters;
for (let i = 1; i <= 1000; i++) {
  const { loss, p, ...updated } = await program.run({ ...data, ...values });
  values = Object.fromEntries(Object.entries(updated).map(([name, tensor]) => [name.replace("new_", ""), tensor]));
  if (i % 250 === 0) {
    const right = data.label.data.filter((moon, k) => Number(p!.data[k]) > 0.5 === (Number(moon) === 1)).length;
    console.log(
      `step ${i}: loss ${Number(loss!.data[0]).toFixed(4)}, accuracy ${((100 * right) / POINTS).toFixed(1)} %`,
    );
  }
}
await runtime.close();
