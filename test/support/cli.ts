/** @file The command line as tests start it. */

import { join } from "node:path";
import { assert } from "../../src/base/errors.js";

const compiled = process.env.TESSERA_COMPILED;
assert(compiled !== undefined, "tests that start the command line belong to the project with compiled sources");

/** The file that `node` runs. */
export const cliMain = join(compiled, "cli", "main.js");
