/** @file What a text process opens, opened in the process that runs. */

import { builtinFolder, readStaticModel, type StaticModel, staticModuleOf } from "../../embed/index.js";
import { type LoadedEncoder, loadEncoder, loadModel, openModel } from "../../presets/index.js";
import { Runtime } from "../../runtime/index.js";
import { type LocalTextService, openTextService, type TextServiceOptions } from "../text-service.js";
import type { TextProcessOptions } from "./protocol.js";

/** Closing it closes its runtime too. */
export async function openTextHere({
  path,
  embeddings,
  speculation,
  numThreads,
  ...options
}: TextProcessOptions & Pick<TextServiceOptions, "cache">): Promise<LocalTextService> {
  const runtime = await Runtime.open(numThreads === undefined ? {} : { numThreads });
  try {
    const draft = speculation?.draftPath === undefined ? undefined : await loadModel(speculation.draftPath);
    await using opened = await openModel(path);
    const service = await openTextService(runtime, opened, {
      ...options,
      ...(speculation && { speculation: { ...speculation, ...(draft && { draft }) } }),
      ...(embeddings && { embeddings: { id: embeddings.id, loaded: await embeddingModel(embeddings.path) } }),
    });
    return {
      ...service,
      async [Symbol.asyncDispose]() {
        await service[Symbol.asyncDispose]();
        await runtime.close();
      },
    };
  } catch (thrown) {
    await runtime.close();
    throw thrown;
  }
}

/** `builtin`, or what a path holds. */
async function embeddingModel(path: string): Promise<LoadedEncoder | StaticModel> {
  const folder = path === "builtin" ? builtinFolder() : path;
  const isStatic = (await staticModuleOf(folder)) !== undefined;
  return isStatic ? (await readStaticModel(folder)).model : loadEncoder(folder);
}
