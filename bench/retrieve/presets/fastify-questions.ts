/** @file Twenty questions to Fastify's documentation, with the sections that answer them and the word that an answer must hold. */

/** A section by its document and its title; every section below it counts too. */
export type Place = readonly [path: string, heading: string];

export interface GoldQuestion {
  readonly question: string;
  /** Any of them answers. */
  readonly places: readonly Place[];
  /** What a quote must hold to say it. */
  readonly says: RegExp;
}

const server = (heading: string): Place => [`Reference/Server.md`, heading];
const reply = (heading: string): Place => [`Reference/Reply.md`, heading];

/** Written from what a user of Fastify wants to know, before anything was measured on them; nothing was tuned on them. */
export const questions: readonly GoldQuestion[] = [
  {
    question: "How large may the body of a request be by default?",
    places: [server("bodyLimit"), ["Reference/Routes.md", "Routes options"]],
    says: /1048576/,
  },
  {
    question: "How long are keep-alive connections kept open by default?",
    places: [server("keepAliveTimeout")],
    says: /72000/,
  },
  {
    question: "Which status is sent when a handler takes longer than the handlerTimeout?",
    places: [server("handlerTimeout"), ["Reference/Routes.md", "Routes options"]],
    says: /503/,
  },
  {
    question: "Which status code does a redirect have if none is given?",
    places: [reply(".redirect(dest, [code ,])"), reply("Introduction")],
    says: /302/,
  },
  {
    question: "What is the status code of a reply when I do not set it?",
    places: [reply(".code(statusCode)")],
    says: /200/,
  },
  { question: "How long may a plugin take to load?", places: [server("pluginTimeout")], says: /10000|maximum amount/ },
  { question: "What is the maximum length of a route parameter?", places: [server("maxParamLength")], says: /100/ },
  {
    question: "For how many months does a major release get security updates after the next one?",
    places: [["Reference/LTS.md", "Long Term Support"]],
    says: /six months/,
  },
  {
    question: "Is logging enabled by default?",
    places: [["Reference/Logging.md", "Enable Logging"]],
    says: /disabled by default/,
  },
  {
    question: "How can I keep the authorization header out of the logs?",
    places: [
      ["Reference/Logging.md", "Log Redaction"],
      ["Reference/Logging.md", "Serializers"],
    ],
    says: /redact/i,
  },
  {
    question: "Can I read the request's body in an onRequest hook?",
    places: [["Reference/Hooks.md", "onRequest"]],
    says: /body/,
  },
  {
    question: "Why should a route handler not be an arrow function?",
    places: [["Reference/Routes.md", "Routes options"]],
    says: /arrow/,
  },
  {
    question: "How do I make the decorators of a plugin visible to its parent?",
    places: [
      ["Reference/Plugins.md", "Handle the scope"],
      ["Reference/Encapsulation.md", "Sharing Between Contexts"],
      ["Guides/Plugins-Guide.md", "How to handle encapsulation and distribution"],
      ["Reference/Decorators.md", "Decorators and Encapsulation"],
    ],
    says: /fastify-plugin|skip-override/,
  },
  {
    question: "How many vCPUs should an instance have for the lowest latency?",
    places: [["Guides/Recommendations.md", "Capacity Planning For Production"]],
    says: /2 vCPU/,
  },
  {
    question: "On which address does the server listen when no host is given?",
    places: [server("listen")],
    says: /localhost/,
  },
  {
    question: "Which tool watches files and restarts the server when they change, started from fastify-cli?",
    places: [["Guides/Getting-Started.md", "Run your server from CLI"]],
    says: /fastify-cli|fastify start/,
  },
  {
    question: "When was version 4.0.0 released?",
    places: [["Reference/LTS.md", "Schedule"]],
    says: /2022-06-08/,
  },
  {
    question: "What is the meaning of the error FST_ERR_CTP_EMPTY_JSON_BODY?",
    places: [["Reference/Errors.md", "Fastify Error Codes"]],
    says: /FST_ERR_CTP_EMPTY_JSON_BODY/,
  },
  {
    question: "In which order are onClose hooks executed?",
    places: [["Reference/Hooks.md", "onClose"]],
    says: /before/,
  },
  {
    question: "Do asynchronous custom constraints slow the router down?",
    places: [["Reference/Routes.md", "Asynchronous Custom Constraints"]],
    says: /performance/,
  },
];
