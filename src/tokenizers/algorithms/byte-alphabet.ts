/** @file The printable characters that stand for bytes in the vocabularies of GPT-2 and its kin (`Ġ` for a space). */

/** Character of each byte: itself where it is printable Latin-1, else the next free one from U+0100 on. */
export const byteCharacters: readonly string[] = alphabet();

const bytes: ReadonlyMap<string, number> = new Map(byteCharacters.map((character, byte) => [character, byte]));

/** The bytes that a vocabulary entry stands for; its own UTF-8 where it has characters outside the alphabet. */
export function bytesOf(token: string): Uint8Array {
  const out = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i++) {
    const byte = bytes.get(token[i]!);
    if (byte === undefined) return new TextEncoder().encode(token);
    out[i] = byte;
  }
  return out;
}

function alphabet(): string[] {
  let free = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    return String.fromCharCode(isPrintable ? byte : free++);
  });
}
