// Text from outside, made fit to be stored and shown. Banks and aggregators deliver labels with
// HTML entities, control characters and halves of emoji: a NUL ends a text in some clients, a
// direction mark lets one label read like another, and half a character is no valid UTF-8. Pure.

/** Entities of HTML 4 that labels carry, by their names in lower case. */
const ENTITIES: ReadonlyMap<string, string> = new Map(
  (
    "amp & lt < gt > quot \" apos ' nbsp \u00a0 euro € pound £ yen ¥ cent ¢ copy © reg ® trade ™ " +
    "deg ° middot · bull • hellip … ndash – mdash — lsquo ‘ rsquo ’ ldquo “ rdquo ” laquo « raquo » " +
    "sup2 ² sup3 ³ frac12 ½ times × agrave à aacute á acirc â atilde ã auml ä aring å aelig æ " +
    "ccedil ç egrave è eacute é ecirc ê euml ë igrave ì iacute í icirc î iuml ï ntilde ñ ograve ò " +
    "oacute ó ocirc ô otilde õ ouml ö oslash ø oelig œ ugrave ù uacute ú ucirc û uuml ü yacute ý " +
    "yuml ÿ szlig ß"
  ).split(" ").reduce<(readonly [string, string])[]>(
    (pairs, part, index, parts) =>
      index % 2 === 0 ? [...pairs, [part, parts[index + 1] ?? ""]] : pairs,
    [],
  ),
);

/** What the numbers 128 to 159 mean in HTML: the characters of Windows-1252, not controls. */
const WINDOWS_1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";

const ENTITY = /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]{2,8}[0-9]{0,2}));/gi;

function characterOf(code: number): string {
  if (code >= 0x80 && code <= 0x9f) return WINDOWS_1252[code - 0x80] ?? "";
  return code > 0x10ffff ? "" : String.fromCodePoint(code);
}

/** A name in capitals, as in a label in capitals, gives the capital letter. */
function namedCharacter(name: string): string | null {
  const character = ENTITIES.get(name.toLowerCase()) ?? null;
  return character !== null && /^[A-Z]/.test(name) ? character.toUpperCase() : character;
}

/** Undoes HTML entities once: `&amp;eacute;` is the text `&eacute;`. Unknown ones stay. */
function withoutEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(ENTITY, (whole: string, hex?: string, decimal?: string, name?: string) => {
    if (hex !== undefined) return characterOf(Number.parseInt(hex, 16));
    if (decimal !== undefined) return characterOf(Number(decimal));
    return namedCharacter(name ?? "") ?? whole;
  });
}

const LINE_ENDS = /[\t\n\v\f\r\u0085\u2028\u2029]/g;
/** Controls, direction marks, invisible blanks, characters that are none, halves of a pair. */
const UNFIT =
  /[\p{Cc}\p{Bidi_Control}\p{Noncharacter_Code_Point}\p{Cs}\u00ad\u200b\u2060\ufeff\ufff9-\ufffb]/gu;

/**
 * The text without entities and without what must reach no client and no storage. Line ends become
 * blanks. Done once, where a text enters: a second time would undo an entity that was meant.
 */
export function plainText(text: string): string {
  return withoutEntities(text).replace(LINE_ENDS, " ").replace(UNFIT, "");
}

const graphemes = new Intl.Segmenter("fr", { granularity: "grapheme" });

/**
 * The beginning of the text, at most so many UTF-16 units, without cutting through what a reader
 * sees as one character: an emoji of several code points, a letter with its accent.
 */
export function cutText(text: string, unitsMax: number): string {
  if (text.length <= unitsMax) return text;
  let end = 0;
  // Where a character ends is decided by the code point behind it, so two more units are enough.
  for (const { index, segment } of graphemes.segment(text.slice(0, unitsMax + 2))) {
    if (index + segment.length > unitsMax) break;
    end = index + segment.length;
  }
  // A single character longer than all that may stay, such as a letter under 500 accents.
  if (end === 0) return text.slice(0, unitsMax).replace(/\p{Cs}/gu, "");
  return text.slice(0, end);
}
