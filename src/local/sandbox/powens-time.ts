// The aggregator's two kinds of time: a calendar date and a DateTime without offset. Most DateTimes
// are Paris wall time (seen by others, never documented); the few `*datetime` fields of a
// transaction are UTC. Pure: time comes in as milliseconds.

const paris = new Intl.DateTimeFormat("sv-SE", {
  timeZone: "Europe/Paris",
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

/**
 * `YYYY-MM-DD HH:MM:SS` in Paris. At the autumn change one hour occurs twice: the real service is
 * as ambiguous.
 */
export function parisDateTime(ms: number): string {
  return paris.format(ms);
}

/**
 * The `last_update` of a row's next state: two states never bear the same mark. A test does in a
 * second what takes a bank hours.
 */
export function markAfter(previous: string, now: string): string {
  if (previous < now) return now;
  return new Date(Date.parse(`${previous.replace(" ", "T")}Z`) + 1000).toISOString().slice(0, 19)
    .replace("T", " ");
}

/** `YYYY-MM-DD` in Paris. */
export function parisDate(ms: number): string {
  return parisDateTime(ms).slice(0, 10);
}

/**
 * `YYYY-MM-DDTHH:MM:SS.mmm000Z`: the form of `BI-Signature-Date`, with the microseconds that the
 * sample shows.
 */
export function signatureDate(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "000Z");
}

/** The date `days` later (or earlier, if negative). */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** The last day of the month of `date`. */
export function endOfMonth(date: string): string {
  const [year = 0, month = 1] = date.split("-").map(Number);
  return new Date(Date.UTC(year, month, 0)).toISOString().slice(0, 10);
}

/** The first day of the month `months` before that of `date`. */
export function monthsBefore(date: string, months: number): string {
  const [year = 0, month = 1] = date.split("-").map(Number);
  return new Date(Date.UTC(year, month - 1 - months, 1)).toISOString().slice(0, 10);
}

/** True for a real calendar date in `YYYY-MM-DD`. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/u.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

/**
 * The bound that `min_date` or `max_date` means: a date, a month or a year are allowed.
 * Returns null for anything else.
 */
export function dateBound(text: string, end: "first" | "last"): string | null {
  if (isDate(text)) return text;
  if (/^\d{4}-(0[1-9]|1[0-2])$/u.test(text)) {
    return end === "first" ? `${text}-01` : endOfMonth(`${text}-01`);
  }
  if (/^\d{4}$/u.test(text)) return end === "first" ? `${text}-01-01` : `${text}-12-31`;
  return null;
}
