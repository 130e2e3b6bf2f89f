/** @file Statements that are put into real documents, each where its subject is written about, to see whether a summary has them. */

export interface PlantedFact {
  /** Of the document that it is put into. */
  readonly path: string;
  readonly text: string;
  /** What it is about, as somebody would ask for all such statements. */
  readonly topic?: string;
}

const speed = "response times and performance";
const people = "who is responsible";
const memory = "memory consumption";
const cost = "costs";
const ends = "what is no longer supported";
const security = "security incidents";

/**
 * Into Fastify's documentation. Decisions, measurements, duties and dates, written before there was a method to find them:
 * some have figures, some have not, and most share few words with their document.
 */
export const englishFacts: readonly PlantedFact[] = [
  {
    path: "Guides/Benchmarking.md",
    text: "On the reference machine the basic example answered 61,400 requests a second in March, with a 99th percentile of 7 ms.",
    topic: speed,
  },
  {
    path: "Guides/Contributing.md",
    text: "Pull requests that touch the router are reviewed by Marta Lindqvist, who has to approve them before they are merged.",
    topic: people,
  },
  {
    path: "Guides/Database.md",
    text: "Each connection of the Postgres pool keeps about 9 MB of memory, so the pool was cut from 40 to 12 connections.",
    topic: memory,
  },
  {
    path: "Guides/Detecting-When-Clients-Abort.md",
    text: "Noticing aborted uploads saved 1,300 euros of storage fees in the second quarter.",
    topic: cost,
  },
  {
    path: "Guides/Fluent-Schema.md",
    text: "Fluent schemas will no longer be accepted from release 7 on, which is due in October 2027.",
    topic: ends,
  },
  {
    path: "Guides/Migration-Guide-V3.md",
    text: "Nobody gets fixes for version 3 any more, and the last customer moved off it in May.",
    topic: ends,
  },
  {
    path: "Guides/Migration-Guide-V4.md",
    text: "After the move to version 4 the median response time of the shop fell from 48 to 31 milliseconds.",
    topic: speed,
  },
  {
    path: "Guides/Style-Guide.md",
    text: "Questions about wording go to the documentation group in Porto, which meets every second Tuesday.",
    topic: people,
  },
  {
    path: "Guides/Write-Plugin.md",
    text: "A plugin without signed releases must not be installed on production machines since the incident of 4 June.",
    topic: security,
  },
  {
    path: "Guides/Write-Type-Provider.md",
    text: "Large unions in a type provider made the compiler need 6 GB, and they are therefore forbidden in shared packages.",
    topic: memory,
  },
  {
    path: "Reference/ContentTypeParser.md",
    text: "In the audit, a forged content type let 212 oversized files through, so unknown types are now refused at the proxy.",
    topic: security,
  },
  {
    path: "Reference/Decorators.md",
    text: "Decorating every request with the user's whole profile leaked 300 MB an hour until it was replaced by a getter.",
    topic: memory,
  },
  {
    path: "Reference/Encapsulation.md",
    text: "The billing context belongs to Team Heron, and no other team may register plugins in it.",
    topic: people,
  },
  {
    path: "Reference/HTTP2.md",
    text: "With HTTP/2 pages loaded 22 % faster on mobile networks, but no difference was measured on cables.",
    topic: speed,
  },
  {
    path: "Reference/LTS.md",
    text: "Support for version 4 beyond its end was bought until December 2026 for 18,000 dollars a year.",
    topic: cost,
  },
  {
    path: "Reference/Lifecycle.md",
    text: "Validation takes 0.4 ms of the 2.1 ms that a request spends in the lifecycle on average.",
    topic: speed,
  },
  {
    path: "Reference/Logging.md",
    text: "Passwords were found in the logs of the staging cluster, which is why redaction is mandatory for all services.",
    topic: security,
  },
  {
    path: "Reference/Middleware.md",
    text: "We agreed to remove Express middleware from all services by the end of the year.",
    topic: ends,
  },
  {
    path: "Reference/Plugins.md",
    text: "Whoever adds a plugin to the gateway names a maintainer and a deputy in the registry first.",
    topic: people,
  },
  {
    path: "Reference/Principles.md",
    text: "The steering committee refused the paid tier in a vote of seven to two.",
    topic: cost,
  },
  {
    path: "Reference/Type-Providers.md",
    text: "The Zod provider replaces TypeBox in new projects; existing ones have to change by the spring of 2028.",
    topic: ends,
  },
  {
    path: "Reference/Warnings.md",
    text: "Every unhandled deprecation warning in the logging service added about 40 euros to the monthly bill.",
    topic: cost,
  },
  {
    path: "Guides/Testing.md",
    text: "Test runs were killed whenever more than eight workers were injecting at once, because 16 GB were not enough.",
    topic: memory,
  },
  {
    path: "Guides/Recommendations.md",
    text: "Servers that faced the internet without a proxy were attacked within three hours in the trial, so the proxy is obligatory.",
    topic: security,
  },
];

/** Into Chinese documents of the corpus. */
export const chineseFacts: readonly PlantedFact[] = [
  { path: "identify-expensive-queries.md", text: "自三月起，订单库中超过三十秒的查询会自动终止，并通知值班人员。" },
  { path: "table-filter.md", text: "财务部门的四张表永远不参与同步，这一点已在七月的会议上确认。" },
  { path: "ticdc/ticdc-alert-rules.md", text: "同步延迟超过十分钟的警报由王琳负责，节假日由运维二组接手。" },
  {
    path: "tiup/tiup-component-cluster-destroy.md",
    text: "去年误删测试集群造成了十二万元的损失，此后销毁操作需要两人批准。",
  },
  { path: "dashboard/dashboard-intro.md", text: "在五百个节点的集群上，仪表盘首页的打开时间从九秒缩短到两秒。" },
  {
    path: "tidb-resource-control-background-tasks.md",
    text: "后台任务最多只能占用百分之十五的处理器时间，否则夜间报表会推迟。",
  },
  { path: "tidb-read-staleness.md", text: "读取五秒前的数据使跨城查询的平均耗时下降了四成。" },
  { path: "schema-cache.md", text: "表结构缓存的内存上限定为二吉字节，因为更大的值没有带来任何好处。" },
  { path: "ticdc/ticdc-integrity-check.md", text: "校验在试运行中发现了三十七行错误数据，全部来自旧版驱动。" },
  { path: "ticdc/ticdc-client-authentication.md", text: "旧证书将在二〇二七年一月失效，届时未更新的客户端无法连接。" },
  {
    path: "dm/deploy-a-dm-cluster-using-binary.md",
    text: "新机房不再允许手工部署，所有实例必须在六月底之前迁移。",
  },
  { path: "ai/integrations/tidb-mcp-server.md", text: "外部助手只能使用只读账号访问数据库，违反者的权限会被收回。" },
];
