/** @file Conversations about Fastify's documentation: what is asked, turn by turn, and the sections that answer. */

import type { Place } from "./fastify-questions.js";

export interface GoldTurn {
  readonly question: string;
  /** Any of them answers. */
  readonly places: readonly Place[];
}

export interface GoldDialogue {
  /** Dialogues that constants may be tuned on; the others are held out. */
  readonly isForTuning: boolean;
  readonly turns: readonly GoldTurn[];
}

const turn = (question: string, ...places: readonly Place[]): GoldTurn => ({ question, places });
const server = (heading: string): Place => ["Reference/Server.md", heading];
const reply = (heading: string): Place => ["Reference/Reply.md", heading];
const hooks = (heading: string): Place => ["Reference/Hooks.md", heading];
const routes = (heading: string): Place => ["Reference/Routes.md", heading];
const errors: Place = ["Reference/Errors.md", "Fastify Error Codes"];

const forTuning: readonly (readonly GoldTurn[])[] = [
  [
    turn("What does bodyLimit do?", server("bodyLimit")),
    turn("What is its default?", server("bodyLimit"), routes("Routes options")),
    turn("Which error is sent when it is exceeded?", server("bodyLimit"), errors),
  ],
  [
    turn("How do I turn on logging?", ["Reference/Logging.md", "Enable Logging"]),
    turn("And how do I hide secrets in it?", ["Reference/Logging.md", "Log Redaction"]),
  ],
  [
    turn("What does handlerTimeout do?", server("handlerTimeout")),
    turn("Can it be set for a single route?", server("handlerTimeout"), routes("Routes options")),
    turn("Does it stop the work of the handler?", server("handlerTimeout")),
  ],
  [
    turn("When does the onSend hook run?", hooks("onSend")),
    turn("Can I change the payload there?", hooks("onSend")),
    turn("And in onResponse?", hooks("onResponse")),
  ],
  [
    turn("How does reply.redirect work?", reply(".redirect(dest, [code ,])")),
    turn("Which status code does it use?", reply(".redirect(dest, [code ,])"), reply("Introduction")),
  ],
  [
    turn("How long is a major version supported?", ["Reference/LTS.md", "Long Term Support"]),
    turn("Which versions of Node.js are tested?", ["Reference/LTS.md", "Long Term Support"]),
  ],
  [
    turn("What does onProtoPoisoning decide?", server("onProtoPoisoning")),
    turn("Which values may it have?", server("onProtoPoisoning")),
    turn("Why is that dangerous?", ["Guides/Prototype-Poisoning.md", "History behind prototype poisoning"]),
  ],
  [
    turn("What is keepAliveTimeout?", server("keepAliveTimeout")),
    turn("How do I write a custom serializer compiler?", [
      "Reference/Validation-and-Serialization.md",
      "Serializer Compiler",
    ]),
    turn("Can different content types have their own?", ["Reference/Validation-and-Serialization.md", "Serialization"]),
  ],
  [
    turn("How do I use fluent-json-schema?", ["Guides/Fluent-Schema.md", "Fluent Schema"]),
    turn("How are environment variables loaded in Vercel?", ["Guides/Serverless.md", "Vercel"]),
  ],
];

const heldOut: readonly (readonly GoldTurn[])[] = [
  [
    turn("How do I decorate a request?", ["Reference/Decorators.md", "Decorators"]),
    turn("May the value be an object?", ["Reference/Decorators.md", "Decorators"]),
    turn("Why not?", ["Reference/Decorators.md", "Decorators"]),
  ],
  [
    turn(
      "How do I register a plugin with a route prefix?",
      ["Reference/Plugins.md", "Route Prefixing option"],
      routes("Route Prefixing"),
    ),
    turn(
      "Why does it not work with fastify-plugin?",
      ["Reference/Plugins.md", "Route Prefixing option"],
      routes("Route Prefixing and fastify-plugin"),
    ),
  ],
  [
    turn("How do I add a parser for a content type of my own?", [
      "Reference/ContentTypeParser.md",
      "Content-Type Parser",
    ]),
    turn(
      "How do I remove it again?",
      ["Reference/ContentTypeParser.md", "removeContentTypeParser"],
      server("removeContentTypeParser"),
    ),
    turn(
      "And all of them?",
      ["Reference/ContentTypeParser.md", "removeAllContentTypeParsers"],
      server("removeAllContentTypeParsers"),
    ),
  ],
  [
    turn("What is trustProxy for?", server("trustProxy")),
    turn("Which values can it have?", server("trustProxy")),
    turn("What does it change about the request?", server("trustProxy"), ["Reference/Request.md", "Request"]),
  ],
  [
    turn("How do I send a trailer?", reply(".trailer(key, function)")),
    turn("How can I see whether one is set?", reply(".hasTrailer(key)")),
    turn("And take it away?", reply(".removeTrailer(key)")),
  ],
  [
    turn("How do I deploy to Google Cloud Run?", ["Guides/Serverless.md", "Google Cloud Run"]),
    turn("What goes into the Dockerfile?", ["Guides/Serverless.md", "Google Cloud Run"]),
    turn("And on AWS Lambda?", ["Guides/Serverless.md", "AWS"]),
  ],
  [
    turn("How do I test a route with inject?", ["Guides/Testing.md", "Testing with HTTP injection"], server("inject")),
    turn("What are its benefits?", ["Guides/Testing.md", "Benefits of using fastify.inject()"]),
    turn("What if I want a running server instead?", ["Guides/Testing.md", "Testing with a running server"]),
  ],
  [
    turn("How do I give a route a version constraint?", routes("Version Constraints"), routes("Constraints")),
    turn("And for the host?", routes("Host Constraints")),
    turn("Can it be fetched from a database?", routes("Asynchronous Custom Constraints")),
  ],
  [
    turn("What does reply.hijack() do?", reply(".hijack()")),
    turn("Does it still send a response?", reply(".hijack()")),
    turn("What is pluginTimeout?", server("pluginTimeout")),
  ],
  [
    turn("Which options does the Postgres plugin take?", ["Guides/Database.md", "Database"]),
    turn("How are uncaught errors handled?", ["Reference/Errors.md", "Errors"]),
  ],
];

export const dialogues: readonly GoldDialogue[] = [
  ...forTuning.map((turns) => ({ turns, isForTuning: true })),
  ...heldOut.map((turns) => ({ turns, isForTuning: false })),
];
