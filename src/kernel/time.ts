// Calendar of the product: instants are milliseconds since 1970 UTC; dates are Europe/Paris
// calendar days `YYYY-MM-DD`. No clock here: the time is always passed in.

/**
 * The clock of a request or a step. `nowMs` is synchronous; what moves the local clock happens
 * between requests.
 */
export type Clock = { readonly nowMs: () => number };

export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

const PARIS = "Europe/Paris";
const parisParts = new Intl.DateTimeFormat("en-CA", {
  timeZone: PARIS,
  hourCycle: "h23",
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

/** RFC 3339 instant in UTC, e.g. `2026-11-23T11:32:48.000Z`. */
export function toInstant(ms: number): string {
  return new Date(ms).toISOString();
}

/** What the clocks on the wall in Paris show, as if it were UTC. */
function parisWallMs(ms: number): number {
  const part: Record<string, number> = {};
  for (const { type, value } of parisParts.formatToParts(ms)) part[type] = Number(value);
  return Date.UTC(
    part["year"] ?? 0,
    (part["month"] ?? 1) - 1,
    part["day"] ?? 1,
    part["hour"] ?? 0,
    part["minute"] ?? 0,
    part["second"] ?? 0,
  );
}

/** The Paris calendar day of an instant. */
export function parisDate(ms: number): string {
  return new Date(parisWallMs(ms)).toISOString().slice(0, 10);
}

/** What the clocks of Paris show at an instant: `14:05`. */
export function parisTime(ms: number): string {
  return new Date(parisWallMs(ms)).toISOString().slice(11, 16);
}

/**
 * The instant of a Paris wall-clock time. In the hour that the autumn change repeats, the first
 * pass (summer time) is meant; a time that the spring change skips is moved an hour on, as clocks
 * do.
 */
export function parisToMs(date: string, time = "00:00:00"): number {
  const wall = Date.parse(`${date}T${time}Z`);
  const summer = wall - 2 * HOUR_MS;
  if (parisWallMs(summer) === wall) return summer;
  return wall - HOUR_MS;
}

/**
 * True when the clocks of Paris show the time of this instant once more an hour later: it lies in
 * the first pass of the hour that the autumn change repeats.
 */
export function isRepeatedInParis(ms: number): boolean {
  return parisWallMs(ms) === parisWallMs(ms + HOUR_MS);
}

/**
 * The same time on the clocks of Paris whole calendar days later (or earlier): 23 or 25 hours a day
 * where the clocks change.
 */
export function addParisDays(ms: number, days: number): number {
  const [date = "", time = ""] = toInstant(parisWallMs(ms)).slice(0, 19).split("T");
  return parisToMs(addDays(date, days), time) + (((ms % SECOND_MS) + SECOND_MS) % SECOND_MS);
}

/** True for a real calendar day written `YYYY-MM-DD`. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return Number.isFinite(ms) && new Date(ms).toISOString().slice(0, 10) === text;
}

const FIRST_DATE = "0000-01-01";
const LAST_DATE = "9999-12-31";

/**
 * Calendar day plus (or minus) whole days; what lies beyond a year of four digits is the first or
 * last day of those.
 */
export function addDays(date: string, days: number): string {
  const day = new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString();
  // Beyond four digits a year is written with its sign, and texts of days no longer compare as days
  // do.
  return day.startsWith("+") ? LAST_DATE : day.startsWith("-") ? FIRST_DATE : day.slice(0, 10);
}

/** Whole days from one calendar day to another; negative when `to` is earlier. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS);
}

/** Calendar day plus whole months; the 31st becomes the last day of a shorter month. */
export function addMonths(date: string, months: number): string {
  const [year = 0, month = 1, day = 1] = date.split("-").map(Number);
  const lastDay = new Date(Date.UTC(year, month - 1 + months + 1, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 + months, Math.min(day, lastDay))).toISOString().slice(
    0,
    10,
  );
}

/**
 * Whole years from a birth date to a day, counted on the birthday (29 February counts on 1 March in
 * common years).
 */
export function ageOn(birthDate: string, date: string): number {
  const years = Number(date.slice(0, 4)) - Number(birthDate.slice(0, 4));
  return date.slice(5) < birthDate.slice(5) ? years - 1 : years;
}

/**
 * The period (in Paris) a day belongs to, as a key that two days share exactly when they lie in the
 * same period.
 */
export function periodKey(period: "day" | "week" | "month" | "offer", date: string): string {
  switch (period) {
    case "day":
      return date;
    case "week": {
      const weekday = (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7;
      return `w${addDays(date, -weekday)}`;
    }
    case "month":
      return date.slice(0, 7);
    case "offer":
      return "offer";
  }
}

/**
 * Milliseconds of an ISO 8601 duration of weeks, days, hours, minutes and seconds (`P30D`,
 * `PT10M`), or null.
 */
export function durationToMs(text: string): number | null {
  const parts =
    /^P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?$/.exec(
      text,
    );
  if (parts === null || text === "P" || text.endsWith("T")) return null;
  const [, weeks = "0", days = "0", hours = "0", minutes = "0", seconds = "0"] = parts;
  return Number(weeks) * 7 * DAY_MS + Number(days) * DAY_MS + Number(hours) * HOUR_MS +
    Number(minutes) * MINUTE_MS + Number(seconds) * SECOND_MS;
}
