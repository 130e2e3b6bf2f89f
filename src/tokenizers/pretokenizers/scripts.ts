/** @file Cuts a text where the script changes (`UnicodeScripts`, after SentencePiece). */

import { codePointAt, utf16Width } from "../algorithms/utf8.js";
import { CharClasses } from "./char-classes.js";
import type { Pretokenizer } from "./pretokenizer.js";
import { youngCharacters } from "./young-scripts.js";

/** Belongs to whatever it stands beside: spaces, and characters without a script. */
const any = 1;
/** Hiragana and Katakana count as Han. */
const han = 2;
const younger = new RegExp(`[${youngCharacters}]`, "u");
const names =
  "Common Inherited Latin Greek Cyrillic Armenian Hebrew Arabic Syriac Thaana Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Thai Lao Tibetan Myanmar Georgian Hangul Ethiopic Cherokee Canadian_Aboriginal Ogham Runic Khmer Mongolian Bopomofo Yi Old_Italic Gothic Deseret Tagalog Hanunoo Buhid Tagbanwa Limbu Tai_Le Linear_B Ugaritic Shavian Osmanya Cypriot Braille Buginese Coptic New_Tai_Lue Glagolitic Tifinagh Syloti_Nagri Old_Persian Kharoshthi Balinese Cuneiform Phoenician Phags_Pa Nko Sundanese Lepcha Ol_Chiki Vai Saurashtra Kayah_Li Rejang Lycian Carian Lydian Cham Tai_Tham Tai_Viet Avestan Egyptian_Hieroglyphs Samaritan Lisu Bamum Javanese Meetei_Mayek Imperial_Aramaic Old_South_Arabian Inscriptional_Parthian Inscriptional_Pahlavi Old_Turkic Kaithi Batak Brahmi Mandaic Chakma Meroitic_Cursive Meroitic_Hieroglyphs Miao Sharada Sora_Sompeng Takri Caucasian_Albanian Bassa_Vah Duployan Elbasan Grantha Pahawh_Hmong Khojki Linear_A Mahajani Manichaean Mende_Kikakui Modi Mro Old_North_Arabian Nabataean Palmyrene Pau_Cin_Hau Old_Permic Psalter_Pahlavi Siddham Khudawadi Tirhuta Warang_Citi Ahom Anatolian_Hieroglyphs Hatran Multani Old_Hungarian SignWriting Adlam Bhaiksuki Marchen Newa Osage Tangut".split(
    " ",
  );

/** Where each piece begins depends on what came before, so that cuts are only known by scanning. */
export function sameScript(): Pretokenizer {
  const scripts = names.map((name) => new RegExp(`\\p{Script=${name}}`, "u"));
  const classes = new CharClasses((character) => {
    if (!younger.test(character) && /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー]/u.test(character))
      return han;
    const index =
      character === " " || younger.test(character) ? -1 : scripts.findIndex((script) => script.test(character));
    return index < 0 ? any : han + 1 + index;
  });
  return {
    scan(text, start, end, visit) {
      let [from, last] = [-1, 0];
      for (let at = start; at < end; at += utf16Width(codePointAt(text, at, end))) {
        const script = classes.at(text, at, end);
        if (script === any || script === last) continue;
        if (from >= 0 && !visit(from, at)) return false;
        [from, last] = [at, script];
      }
      return from < 0 || visit(from, end);
    },
    cutEffect: () => "unknown",
  };
}
