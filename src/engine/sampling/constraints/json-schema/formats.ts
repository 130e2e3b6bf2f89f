/** @file Values of `format` as regular expressions; each matches a part of what the format allows, and nothing else. */

const date =
  "\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))";
const time = "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,6})?(?:Z|[+-](?:0\\d|1[0-4]):[0-5]\\d)";
const label = "[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?";
const host = `${label}(?:\\.${label}){0,3}`;
const byte = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";

/** By name, as RFC 3339 (dates and times), 1123 (hosts), 5321 (mail), 4291 (IPv6), 9562 (UUID) and ISO 8601 (durations). */
export const formats: Readonly<Record<string, string>> = {
  date,
  time,
  "date-time": `${date}T${time}`,
  duration: "P(?:\\d{1,4}W|\\d{1,4}D(?:T\\d{1,4}H)?|T\\d{1,4}(?:H|M|S))",
  email: `[A-Za-z0-9_+-]{1,32}(?:\\.[A-Za-z0-9_+-]{1,16}){0,2}@${label}\\.[a-z]{2,10}`,
  hostname: host,
  ipv4: `${byte}(?:\\.${byte}){3}`,
  ipv6: "[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){7}",
  uuid: "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
  uri: `https?://${label}\\.[a-z]{2,10}(?:/[A-Za-z0-9._~-]{1,64}){0,8}`,
};
