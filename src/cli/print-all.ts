/** @file Results on standard output as fast as they are taken, and no end to them needed. */
import { once } from "node:events";

/** Prints texts; ends without a word when whoever reads has had enough, as `head` does. */
export async function printAll(texts: AsyncIterable<string>): Promise<void> {
  let isClosed = false;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    isClosed = true;
  });
  for await (const text of texts) {
    if (isClosed) return;
    if (!process.stdout.write(text)) await Promise.race([once(process.stdout, "drain"), once(process.stdout, "close")]);
  }
}
