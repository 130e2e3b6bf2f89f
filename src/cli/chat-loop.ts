/** @file A conversation at a terminal: lines in, answers out, commands that begin with a slash. */

import type { Writable } from "node:stream";
import { TesseraError } from "../base/errors.js";
import type { ChatSession } from "../pipeline/chat-session.js";
import { type LineStreams, lineLoop } from "./line-loop.js";

interface ChatCommand {
  readonly usage: string;
  readonly about: string;
  /** Gives what is to be said, or undefined to end the conversation. */
  run(argument: string, session: ChatSession): string | undefined | Promise<string | undefined>;
}

const commands: Readonly<Record<string, ChatCommand>> = {
  help: { usage: "/help", about: "say what there is", run: () => helpText() },
  system: {
    usage: "/system [text]",
    about: "set what the model is told before all else; without text, nothing",
    run(text, session) {
      session.setSystem(text);
      return text === "" ? "no system message" : "system message set";
    },
  },
  save: {
    usage: "/save <file>",
    about: "write the conversation as JSON",
    async run(path, session) {
      if (path === "") return "which file? /save <file>";
      await session.save(path);
      return `${session.messages.length} messages in ${path}`;
    },
  },
  load: {
    usage: "/load <file>",
    about: "go on with a saved conversation",
    async run(path, session) {
      if (path === "") return "which file? /load <file>";
      await session.load(path);
      return `${session.messages.length} messages from ${path}`;
    },
  },
  clear: {
    usage: "/clear",
    about: "forget the conversation",
    run(_, session) {
      session.clear();
      return "forgotten";
    },
  },
  exit: { usage: "/exit", about: "end", run: () => undefined },
};

function helpText(): string {
  const lines = Object.values(commands).map(({ usage, about }) => `  ${usage.padEnd(16)}${about}`);
  return [...lines, "  ctrl-C ends an answer, or the conversation"].join("\n");
}

/** Talks until the input ends, `/exit`, or ctrl-C while nothing is written. Errors for users are said, and the talk goes on. */
export const chatLoop = (session: ChatSession, streams: LineStreams): Promise<void> =>
  lineLoop(streams, (line, signal) => respond(line, session, streams.output, signal));

/** Whether the conversation goes on. */
async function respond(line: string, session: ChatSession, output: Writable, signal: AbortSignal): Promise<boolean> {
  if (line.trim() === "") return true;
  try {
    if (!line.startsWith("/")) {
      for await (const text of session.send(line, signal)) output.write(text);
      output.write("\n");
      return true;
    }
    const [, name = "", argument = ""] = /^\/(\S*)\s*(.*)$/s.exec(line)!;
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    const said = command
      ? await command.run(argument.trim(), session)
      : `there is no /${name}; /help says what there is`;
    if (said === undefined) return false;
    output.write(`${said}\n`);
  } catch (thrown) {
    if (!(thrown instanceof TesseraError)) throw thrown;
    output.write(`${thrown.message}\n`);
  }
  return true;
}
