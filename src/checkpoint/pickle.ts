/** @file Refusing pickled weights: a Python pickle is a program, and loading one runs it. */

import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { UnsupportedError } from "../base/errors.js";
import { ByteFile, ifThere } from "./byte-file.js";

const pickledName = /\.(bin|pt|pth|ckpt|pkl|pickle)$/;

/** @throws UnsupportedError when a folder holds pickled weights. For folders where no other weights were found. */
export async function refusePickles(folder: string): Promise<void> {
  const names = (await ifThere(readdir(folder), folder)) ?? [];
  for (const name of names) {
    if (pickledName.test(name) && (await isPickle(join(folder, name)))) throw refusal(folder, name);
  }
}

/** @throws UnsupportedError when the file is a pickle, whatever its name. */
export async function refusePickledFile(path: string): Promise<void> {
  if (await isPickle(path)) throw refusal(path, basename(path));
}

/** Whether a file is what `torch.save` writes: a zip archive, or before PyTorch 1.6 a pickle of protocol 2 to 5. */
async function isPickle(path: string): Promise<boolean> {
  await using file = await ByteFile.open(path);
  if (file.bytes < 4) return false;
  const head = new Uint8Array(4);
  await file.readInto(0, head);
  const [a = 0, b = 0, c = 0, d = 0] = head;
  const isZip = a === 0x50 && b === 0x4b && c === 3 && d === 4;
  // a llama2.c file of width 640 begins with 80 02 too, but then with zeros
  return isZip || (a === 0x80 && b >= 2 && b <= 5 && (c !== 0 || d !== 0));
}

function refusal(where: string, name: string): UnsupportedError {
  return new UnsupportedError(
    `${where}: ${name} is a Python pickle, which runs code when it is loaded, and is not read. Convert it where you trust it: ` +
      'in Python, AutoModel.from_pretrained(folder).save_pretrained(folder), or safetensors.torch.save_file(torch.load(path, weights_only=True), "model.safetensors")',
  );
}
