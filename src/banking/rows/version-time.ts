// How fresh a row is, in the ledger's terms. What an aggregator states orders the versions of a
// row; the arrival never makes an old version fresh, unless a read has just shown it. Pure.
import type { BankRow } from "../../ledger/ports.ts";
import type { CardRow } from "../ports.ts";

/** How rows came, and when: of a read, when it began. */
export type Arrival = { readonly by: "webhook" | "read"; readonly atMs: number };

/**
 * A webhook's row without a time of its own overwrites nothing: dated by its arrival, an old body
 * sent again would bring amended amounts and deleted purchases back. In a read, which shows the
 * present, the time of the read is its time. A time after the arrival cannot be true and counts as
 * the arrival.
 */
export function versionTimeOf(
  { updatedAt, firstSeenAt }: Pick<CardRow, "updatedAt" | "firstSeenAt">,
  arrival: Arrival,
): Pick<BankRow, "lastUpdateMs" | "lastUpdateKind"> {
  const stated = updatedAt ?? (arrival.by === "webhook" ? firstSeenAt : null);
  if (stated === null) {
    return arrival.by === "read"
      ? { lastUpdateMs: arrival.atMs }
      : { lastUpdateMs: arrival.atMs, lastUpdateKind: "unstated" };
  }
  if (stated.ms >= arrival.atMs) return { lastUpdateMs: arrival.atMs };
  return stated.isAmbiguous
    ? { lastUpdateMs: stated.ms, lastUpdateKind: "repeated_hour" }
    : { lastUpdateMs: stated.ms };
}
