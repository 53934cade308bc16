// Paris days and instants, remembered. The time zone is the dearest part of recording a batch, and
// a batch has few distinct days.
import { addDays, addMonths, parisDate, parisToMs } from "../../kernel/time.ts";

const REMEMBERED_MAX = 2000;
const startByDay = new Map<string, number>();
const startByLaterDay = new Map<string, number>();
const startByLaterMonth = new Map<string, number>();
const dayByMs = new Map<number, string>();

function remember<K, V>(known: Map<K, V>, key: K, compute: (key: K) => V): V {
  let value = known.get(key);
  if (value === undefined) {
    value = compute(key);
    if (known.size >= REMEMBERED_MAX) known.clear();
    known.set(key, value);
  }
  return value;
}

/** The instant at which a Paris calendar day begins. */
export function startOfDayMs(date: string): number {
  return remember(startByDay, date, (day) => parisToMs(day));
}

/** The Paris calendar day of an instant. */
export function dayOf(ms: number): string {
  return remember(dayByMs, ms, parisDate);
}

/** The instant at which the Paris day so many days after a day begins. */
export function startOfLaterDayMs(date: string, days: number): number {
  return remember(startByLaterDay, `${date} ${days}`, () => startOfDayMs(addDays(date, days)));
}

/**
 * The instant at which the same Paris day so many months after a day begins; the 31st becomes the
 * last day of a shorter month.
 */
export function startOfLaterMonthMs(date: string, months: number): number {
  return remember(
    startByLaterMonth,
    `${date} ${months}`,
    () => startOfDayMs(addMonths(date, months)),
  );
}
