/** @file XML as events, by names without their prefixes. Entities of the file's own are refused, so none can multiply. */
import { SaxesParser, type SaxesTagNS } from "saxes";
import { messageOf } from "../../base/errors.js";

/** XML that is not well-formed. */
export class BadXml extends Error {}

export interface XmlEvents {
  open(name: string, attributes: (name: string) => string | undefined): void;
  close?(name: string): void;
  text?(text: string): void;
}

/** @throws BadXml where the text is not well-formed. */
export function parseXml(part: string, bytes: Uint8Array, events: XmlEvents): void {
  const parser = new SaxesParser({ xmlns: true });
  parser.on("error", (error) => {
    throw new BadXml(`${part}: ${messageOf(error)}`);
  });
  parser.on("opentag", (tag) => events.open(tag.local, attributesOf(tag)));
  parser.on("closetag", (tag) => events.close?.(tag.local));
  parser.on("text", (text) => events.text?.(text));
  parser.on("cdata", (text) => events.text?.(text));
  parser.write(new TextDecoder("utf-8").decode(bytes)).close();
}

function attributesOf({ attributes }: SaxesTagNS): (name: string) => string | undefined {
  return (name) => Object.values(attributes).find(({ local }) => local === name)?.value;
}
