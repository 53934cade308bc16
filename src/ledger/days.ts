// Paris days and instants, remembered. The time zone is the dearest part of recording a batch, and a batch has few distinct days.
import { parisDate, parisToMs } from "../kernel/time.ts";

const REMEMBERED_MAX = 2000;
const startByDay = new Map<string, number>();
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
