/** @file Results on standard output as fast as they are taken, and no end to them needed. */

/** Prints texts; ends without a word when whoever reads has had enough, as `head` does. */
export async function printAll(texts: AsyncIterable<string>): Promise<void> {
  const { stdout } = process;
  let isClosed = false;
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    isClosed = true;
  });
  for await (const text of texts) {
    if (isClosed) return;
    if (!stdout.write(text)) await drained(stdout);
  }
}

/** Waits until a stream takes more, or never will. */
function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off("drain", done).off("close", done).off("error", done);
      resolve();
    };
    stream.on("drain", done).on("close", done).on("error", done);
  });
}
