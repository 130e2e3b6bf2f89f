/** @file Questions to the documentation in ../shared/data/data-fastify-docs, with the places where it answers them. */

export interface PlacedQuestion {
  readonly question: string;
  readonly path: string;
  /** Any of them answers, as [start, end). */
  readonly answers: readonly (readonly [start: number, end: number])[];
}

const rows: readonly (readonly [question: string, path: string, ...answers: [number, number][]])[] = [
  ["What is the default body limit?", "Reference/Server.md", [10899, 10906]],
  ["How long is the default keep alive timeout?", "Reference/Server.md", [5467, 5472]],
  ["How long does a plugin have to load by default?", "Reference/Server.md", [22810, 22826], [22876, 22899]],
  ["What is the default maximum length of a route parameter?", "Reference/Server.md", [35240, 35254], [35383, 35407]],
  ["Are routes case sensitive by default?", "Reference/Server.md", [31334, 31367], [31611, 31648]],
  ["Which logger does Fastify use?", "Reference/Logging.md", [416, 420]],
  ["How long are major releases supported?", "Reference/LTS.md", [301, 311]],
  ["When was version 4.0.0 released?", "Reference/LTS.md", [3274, 3284]],
  ["Which Node.js versions does version 3 support?", "Reference/LTS.md", [3224, 3242]],
  ["How many days are a month in the support policy?", "Reference/LTS.md", [1846, 1865]],
  ["How many hooks are there for requests and replies?", "Reference/Hooks.md", [1966, 1985]],
  ["Which method registers a hook?", "Reference/Hooks.md", [74, 89]],
  ["When is the onClose hook triggered?", "Reference/Hooks.md", [13651, 13680]],
  ["Why is request.body undefined in the onRequest hook?", "Reference/Hooks.md", [2389, 2416]],
  ["What is the encapsulation context?", "Reference/Encapsulation.md", [80, 117], [146, 153]],
  ["How can encapsulation be broken?", "Reference/Encapsulation.md", [4338, 4369]],
  ["Which library does fastify.inject use for fake HTTP injection?", "Guides/Testing.md", [1276, 1292]],
  ["Which content types does Fastify parse natively?", "Reference/ContentTypeParser.md", [86, 102]],
  ["What does reply.hijack do?", "Reference/Reply.md", [20307, 20319], [20643, 20661], [20913, 20941]],
  ["How do I redirect a request?", "Reference/Reply.md", [11053, 11072]],
  ["What is the default status code of a redirect?", "Reference/Reply.md", [3141, 3144], [11136, 11139]],
  ["What does reply.callNotFound do?", "Reference/Reply.md", [3170, 3206], [12058, 12094]],
  [
    "Which validator does Fastify use by default?",
    "Reference/Validation-and-Serialization.md",
    [1830, 1836],
    [4981, 4987],
  ],
  ["Which library serializes replies?", "Reference/Validation-and-Serialization.md", [1899, 1918]],
  ["What does the trustProxy option do?", "Reference/Server.md", [21548, 21562]],
  ["What does the exposeHeadRoutes option do?", "Reference/Server.md", [24162, 24193]],
  ["How can I print the routes?", "Reference/Server.md", [69180, 69199], [69752, 69771], [70162, 70181]],
  ["Which address does listen use by default?", "Reference/Server.md", [41753, 41762]],
  ["How do I write a plugin?", "Reference/Plugins.md", [5359, 5384], [5395, 5431]],
  ["What are the three parameters of a plugin?", "Reference/Plugins.md", [5409, 5431]],
  ["What is middleware support provided by since version 3?", "Reference/Middleware.md", [155, 171]],
  [
    "How do I remove a content type parser?",
    "Reference/ContentTypeParser.md",
    [5407, 5430],
    [5433, 5456],
    [5839, 5862],
  ],
  ["Who offers commercial security support?", "Reference/LTS.md", [2590, 2598]],
  [
    "What happens to in-flight requests when the server closes?",
    "Reference/Server.md",
    [46997, 47015],
    [47188, 47206],
    [47539, 47557],
    [47658, 47676],
    [47908, 47926],
    [48039, 48057],
  ],
];

export const answered: readonly PlacedQuestion[] = rows.map(([question, path, ...answers]) => ({
  question,
  path,
  answers,
}));

/** What it says nothing of. */
export const unanswered: readonly string[] = [
  "What is the boiling point of mercury?",
  "Who painted the ceiling of the chapel?",
  "How many bones has a horse?",
  "When was the first railway opened?",
  "Which vitamins are in an orange?",
  "How do I bake bread without yeast?",
  "Why is the sky blue?",
  "What is the salary of a maintainer?",
  "Which database does Fastify ship with?",
  "How do I render a React component?",
  "What does the turbo option do?",
  "Who won the election in 2016?",
];
