// Cuts card numbers from a label before it is stored (promise P2): card masks, and runs of 13 to 19
// digits, also when blanks, dots or dashes group them. Pure; the rest of the label stays as the
// bank wrote it.

/** Put where something was cut, so that a reader sees that the label was longer. */
const CUT = "…";

/** 4974XXXXXXXX1234, X1234, XXXX1234, CB*1234, CB****1234, CB.XXXXX123. */
const MASKS =
  /\b\d{2,6}[Xx*]{2,16}\d{0,4}(?!\d)|(?<![A-Za-z0-9])[Xx]{1,16}\d{3,4}\b|(?<![A-Za-z])[Xx]{4,16}\b|\bCB\*+\d{3,4}(?!\d)|\*{2,16}\d{3,4}(?!\d)/gi;

/** CARTE 1234, CARTE 12345678, CARTE NUMERO 123, CARTE NO 123. A date in that place is kept. */
const NAMED = /\b(CARTE (?:NUMERO|NO|N°)?\s*)(\d{3,8})\b(?![/.]\d)/gi;

/** A card number in groups of three digits or more, which dates are not. */
const GROUPED = /\d{3,}(?:[ .\-\u00a0]{1,2}\d{3,})+/g;

const MIN_DIGITS = 13;
const MAX_DIGITS = 19;

function cutGroups(run: string): string {
  const digits = run.replace(/\D/g, "").length;
  return digits >= MIN_DIGITS && digits <= MAX_DIGITS ? CUT : run;
}

function isDate(run: string): boolean {
  if (run.length !== 6 && run.length !== 8) return false;
  const day = Number(run.slice(0, 2));
  const month = Number(run.slice(2, 4));
  return day >= 1 && day <= 31 && month >= 1 && month <= 12 &&
    (run.length === 6 || /^(?:19|20)/.test(run.slice(4)));
}

/**
 * The label without card masks and without digit runs of 13 digits and more. Idempotent. Longer
 * runs than 19 are no card numbers, but can only be references, and are cut too.
 */
export function maskLabel(label: string): string {
  return label
    .replace(/\d{13,}/g, CUT)
    .replace(MASKS, CUT)
    .replace(
      NAMED,
      (whole: string, head: string, digits: string) => (isDate(digits) ? whole : `${head}${CUT}`),
    )
    .replace(GROUPED, cutGroups);
}
