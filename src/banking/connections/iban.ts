// Whether a text is an IBAN that may name an account. A masked one (`FR76XXXX…4567`) is none: it is
// the same for many people.

/** What follows the check digits, by country, as the register of ISO 13616 has it: SEPA's part. */
const BBAN: Readonly<Record<string, string>> = {
  AD: "n8c12",
  AL: "n8c16",
  AT: "n16",
  BE: "n12",
  BG: "a4n6c8",
  CH: "n5c12",
  CY: "n8c16",
  CZ: "n20",
  DE: "n18",
  DK: "n14",
  EE: "n16",
  ES: "n20",
  FI: "n14",
  FR: "n10c11n2",
  GB: "a4n14",
  GI: "a4c15",
  GR: "n7c16",
  HR: "n17",
  HU: "n24",
  IE: "a4n14",
  IS: "n22",
  IT: "a1n10c12",
  LI: "n5c12",
  LT: "n16",
  LU: "n3c13",
  LV: "a4c13",
  MC: "n10c11n2",
  MD: "c20",
  ME: "n18",
  MK: "n3c10n2",
  MT: "a4n5c18",
  NL: "a4n10",
  NO: "n11",
  PL: "n24",
  PT: "n21",
  RO: "a4c16",
  RS: "n18",
  SE: "n20",
  SI: "n15",
  SK: "n20",
  SM: "a1n10c12",
  VA: "n18",
};
const CLASSES: Readonly<Record<string, string>> = { n: "\\d", a: "[A-Z]", c: "[A-Z0-9]" };

/**
 * Of the aggregator's test connector. EX is no country, and its check digits are not always right.
 */
const TEST_IBAN = /^EX\d{12,32}$/;
/** Of what banks put in the place of digits, the only one that an account's number may contain. */
const MASK = /X{3}/;

/** Capitals and digits only, or null when it is no valid IBAN: form, length and check digits. */
export function validIban(text: string | null): string | null {
  const compact = (text ?? "").replace(/[\s.-]/g, "").toUpperCase();
  if (TEST_IBAN.test(compact)) return compact;
  const bban = BBAN[compact.slice(0, 2)];
  if (bban === undefined || MASK.test(compact)) return null;
  const pattern = bban.replace(
    /([nac])(\d+)/g,
    (_, kind: string, count: string) => `${CLASSES[kind] ?? ""}{${count}}`,
  );
  const isWellFormed = new RegExp(`^[A-Z]{2}\\d{2}${pattern}$`).test(compact);
  return isWellFormed && remainder97(compact) === 1 ? compact : null;
}

/** ISO 7064: letters count as 10 to 35, the first four characters come last. */
function remainder97(iban: string): number {
  const digits = `${iban.slice(4)}${iban.slice(0, 4)}`.replace(
    /[A-Z]/g,
    (letter) => String(parseInt(letter, 36)),
  );
  let rest = 0;
  for (let at = 0; at < digits.length; at++) rest = (rest * 10 + Number(digits[at])) % 97;
  return rest;
}
