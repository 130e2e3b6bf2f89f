/** @file A file as pieces of text: UTF-8, strictly, unpacked where its name ends in .gz. */

import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { DataError, messageOf } from "../../base/errors.js";

const chunkBytes = 2 ** 20;

/** @throws DataError when the file cannot be read or unpacked or is not UTF-8. */
export async function* textChunks(path: string): AsyncGenerator<string> {
  const file = createReadStream(path, { highWaterMark: chunkBytes });
  const bytes = path.endsWith(".gz") ? file.pipe(createGunzip({ chunkSize: chunkBytes })) : file;
  // an error of the file does not reach the end of a pipe by itself
  file.on("error", (error) => bytes.destroy(error));
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let line = 1;
  try {
    for await (const chunk of bytes as AsyncIterable<Buffer>) {
      const text = decoder.decode(chunk, { stream: true });
      yield text;
      for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, at + 1)) line++;
    }
    yield decoder.decode();
  } catch (thrown) {
    if (thrown instanceof DataError) throw thrown;
    const isNotUtf8 = thrown instanceof TypeError;
    const cause = isNotUtf8
      ? `bytes that are not UTF-8, at line ${line} or after; save it as UTF-8`
      : messageOf(thrown);
    throw new DataError(`reading ${path}: ${cause}`, { cause: thrown });
  } finally {
    file.destroy();
  }
}
