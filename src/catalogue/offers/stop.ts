// Ends of offers that were not planned: at the end of the day by one person, at once by two. Pure.
import { refusesApproval } from "../../http/second-person.ts";
import type { OfferId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import { addDays, parisDate, parisToMs } from "../../kernel/time.ts";
import { runsUntilMs } from "../catalogue.ts";
import type { Catalogue, OfferEntry, StopRecord } from "../catalogue.ts";
import type { Act, Decision } from "../decision.ts";
import { fieldError } from "../errors.ts";

type StopInput = {
  readonly immediately?: boolean | undefined;
  readonly reason?: string | undefined;
};

/** The offer, and the stop that was asked for as it now is. */
type StopOutcome = { readonly offer: OfferEntry; readonly stop: StopRecord };

/** True when the offer can still earn: a version is in force, to come, or waits for approval. */
function canStillRun(offer: OfferEntry, nowMs: number): boolean {
  return offer.versions.some((version) => version.state === "waiting") ||
    offer.terms.some((terms) => nowMs < runsUntilMs(terms));
}

function decided(
  offer: OfferEntry,
  stop: StopRecord,
  written: boolean,
  action: "offer.stop" | "offer.approve_stop",
): Decision<StopOutcome> {
  return ok({
    value: { offer, stop },
    change: written ? { stops: [stop] } : null,
    audit: { action, target: offer.id, details: { kind: stop.kind, state: stop.state } },
  });
}

/**
 * Stops an offer at the end of the day in Paris; or at once, which waits for a second person. The
 * same request of another person is that approval. Repeating a stop changes nothing.
 */
export function stopOffer(
  catalogue: Catalogue,
  offerId: OfferId,
  { immediately = false, reason }: StopInput,
  act: Act,
): Decision<StopOutcome> {
  const offer = catalogue.offers.get(offerId);
  if (offer === undefined) return err({ code: "not_found" });
  if (immediately && reason === undefined) {
    return err({ code: "invalid", errors: [fieldError("/reason", "reason_missing")] });
  }
  const kind = immediately ? "immediate" : "end_of_day";
  const before = offer.stops.find((stop) => stop.kind === kind);
  if (before?.state === "waiting" && before.createdBy !== act.operator) {
    return approveStop(catalogue, offerId, act);
  }
  if (before !== undefined) return decided(offer, before, false, "offer.stop");
  if (!canStillRun(offer, act.nowMs)) return err({ code: "offer_over" });
  const stop: StopRecord = {
    offerId,
    kind,
    state: immediately ? "waiting" : "in_force",
    reason: reason ?? null,
    createdBy: act.operator,
    createdAtMs: act.nowMs,
    approvedBy: null,
    stopsAtMs: immediately ? null : parisToMs(addDays(parisDate(act.nowMs), 1)),
  };
  return decided(offer, stop, true, "offer.stop");
}

/** Puts a stop that waits in force, from now on. Not by the one who asked for it. */
export function approveStop(
  catalogue: Catalogue,
  offerId: OfferId,
  act: Act,
): Decision<StopOutcome> {
  const offer = catalogue.offers.get(offerId);
  if (offer === undefined) return err({ code: "not_found" });
  const asked = offer.stops.find((stop) => stop.kind === "immediate");
  if (asked?.state === "in_force" && asked.approvedBy === act.operator) {
    return decided(offer, asked, false, "offer.approve_stop");
  }
  if (asked?.state !== "waiting") return err({ code: "not_waiting" });
  const refusal = refusesApproval(asked.createdBy, act);
  if (refusal !== null) return err(refusal);
  const stop: StopRecord = {
    ...asked,
    state: "in_force",
    approvedBy: act.operator,
    stopsAtMs: act.nowMs,
  };
  return decided(offer, stop, true, "offer.approve_stop");
}

/**
 * True once a stop is in force or decided for the end of the day: nothing is added to the offer.
 */
export function isStopped(offer: OfferEntry): boolean {
  return offer.stops.some((stop) => stop.state === "in_force");
}
