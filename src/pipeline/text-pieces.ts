/** @file Bytes that arrive in pieces as text, exactly. */
import { DataError, messageOf } from "../base/errors.js";

/**
 * Decodes UTF-8, a byte order mark at its beginning left out. Null bytes are characters like others.
 * @throws DataError naming `name`, if the bytes are not UTF-8 or cannot be read.
 */
export async function* textPieces(bytes: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    for await (const piece of bytes) yield decoder.decode(piece, { stream: true });
    yield decoder.decode();
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw new DataError(`reading ${name}: ${messageOf(thrown)}`, { cause: thrown });
    throw new DataError(
      `reading ${name}: it is not UTF-8; convert it, or name the folder it is in to read other encodings`,
      {
        cause: thrown,
      },
    );
  }
}
