/** @file A process that opens WebGPU and prints why it cannot; nothing where it can. */

import { messageOf } from "../../src/base/errors.js";
import { Runtime } from "../../src/runtime/index.js";

try {
  await (await Runtime.open({ backend: "webgpu", numThreads: 1 })).close();
} catch (error) {
  console.log(messageOf(error));
}
