/** @file `tessera studio <folder>`: the page of a folder, as earlier work has left it. */

import { Command } from "commander";
import { openStudio } from "../../pipeline/studio/studio.js";
import { StatusLine } from "../status-line.js";
import { type AddressFlags, addAddressOptions, endAtInterrupt, serveStudio } from "../studio-server.js";
import { addUpOptions, type UpFlags, upOptionsOf } from "./up.js";

export const studioCommand = addAddressOptions(
  addUpOptions(
    new Command("studio")
      .description("open the page of a folder: its documents and chunks, plans, runs, answers and models")
      .argument("<folder>", "folder of documents (Markdown, text, HTML, PDF, ...)"),
  ),
).action(run);

async function run(folder: string, flags: UpFlags & AddressFlags): Promise<void> {
  const status = new StatusLine();
  const studio = await openStudio(upOptionsOf(folder, flags));
  const server = await serveStudio(studio, flags, (text) => status.print(text));
  endAtInterrupt(status, server, studio);
}
