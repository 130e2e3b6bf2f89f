/** @file Whether an English verb that lost -ed or -ing has also lost an e. */

/** The words of a list, whole. */
const anyOf = (list: string): RegExp => new RegExp(`^(?:${list.trim().split(/\s+/).join("|")})$`);

/** A single vowel before the last consonant, in a stem of one syllable: hop(e), cit(e), us(e). */
const oneSyllable = /^(?:[^aeiouy]*|qu|squ|y)[aeiouy][^aeiouy]$/;

/** Stems that have an e though the endings below do not say so. */
const withE = anyOf(`
  unit reunit invit excit ignit recit incit expedit requit complet delet deplet compet secret excret promot devot denot demot
  misquot footnot interven conven contraven superven postpon condon telephon dethron aton enthron inton interfer adher
  persever coher explor ignor restor ador implor deplor underscor encor inhal exhal impal upscal downscal consol condol cajol
  welcom becom overcom escap reshap telescop microscop elop evok invok provok revok convok blasphem inflam begrim profan
  bath breath cloth loath sooth swath seeth teeth writh lath sheath unsheath wreath scath tith scyth ripost cleans
  chang exchang interchang rang arrang rearrang prearrang disarrang derang estrang aveng reveng challeng scaveng
  hing unhing cring fring ting bing imping infring syring plung lung expung loung scroung spong orang
  past tast wast hast bast past ach cach creat recreat procreat permeat delineat nauseat
  leas releas eas creas increas decreas greas teas appeas diseas pleas displeas ceas deceas predeceas
  rous grous hous rehous carous espous lous arous mous sous rais prais apprais uprais nois pois caus paus
  loos unloos choos noos ow aw overaw ey dy imped supersed handsom wholesom loathsom strang extrem suprem polit sincer rever regal disguis bruis cruis
`);

/** Stems that have none though the endings below say so. */
const withoutE = anyOf(`
  focus refocus bias canvas gas bus sync chorus augur murmur sulphur beggar collar pillar cellar vinegar combat invalid
  pyramid horrid stupid vulgar trellis hocus
`);

/** Endings after which an infinitive has an e. */
const endings = new RegExp(
  [
    "[uv]$",
    "(?:^|[^tz])z$",
    "c$",
    "[dlr]g$",
    "[aeiou]g$",
    "[^aeiou][aeiouy]s$",
    "[lnprw]s$",
    "[bcdfgkpstz]l$",
    "(?:[^aeio]|[iu])at$",
    "(?:^|[^o])ut$",
    "(?:^|[^aeo])ad$",
    "(?:^|[^ao])id$",
    "(?:^|[^o])od$",
    "(?:^|[^aeo])ud$",
    "ced$",
    "(?:^|[^aeou])in$",
    "(?:^|[^aeou])un$",
    "(?:^|[^eo])ar$",
    "(?:^|[^aeiou]|qu)ir$",
    "[bcdgptv]r$",
    "(?:^|[^aeo])ur$",
    "(?:^|[^aeiou])ul$",
    "(?:^|[^aeiou]|gu)il$",
    "(?:^|[^aeo])um$",
    "(?:^|[^aeo])ak$",
    "(?:^|[^aeiou])ik$",
    "(?:^|[^aeo])uk$",
    "(?:^|[^aeiou])[aeiou]b$",
    "(?:^|[^aeiou])[aeiou]f$",
  ].join("|"),
);

/** `stem` is the verb without -ed or -ing: true for `rat` of `rated`, false for `heat` of `heated`. */
export function takesFinalE(stem: string): boolean {
  if (withE.test(stem)) return true;
  if (withoutE.test(stem)) return false;
  if (oneSyllable.test(stem)) return !/[wxy]$/.test(stem);
  return endings.test(stem);
}
