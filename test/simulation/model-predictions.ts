// What the oracle expects a ledger to show of a row.
import type { Grant, Prediction } from "./model-grants.ts";
import type { KnownRow, Resolution } from "./model-rows.ts";

type Predictable = {
  readonly rows: ReadonlyMap<string, KnownRow>;
  readonly grants: ReadonlyMap<string, Grant>;
  readonly resolution: Resolution;
  readonly loose: ReadonlySet<string>;
  readonly dependent: (brandId: string | null) => boolean;
};

export function predictionOf(model: Predictable, key: string): Prediction {
  const known = model.rows.get(key);
  const status = model.resolution.status.get(key);
  if (known === undefined || status === undefined) {
    throw new Error(`the model knows no row ${key}`);
  }
  const nothing = (outcomes: Prediction["outcomes"], firstReason: string | null): Prediction => ({
    outcomes,
    points: 0,
    firstReason,
  });
  switch (status.is) {
    case "deleted":
      return nothing(["not_earned", "reversed"], null);
    case "review":
      return nothing(
        known.row.state === "booked" ? ["waiting"] : ["waiting", "not_earned", "reversed"],
        "held_for_review",
      );
    case "refused":
      return nothing(["not_earned"], "held_for_review");
    case "duplicate":
      return nothing(["not_earned", "reversed"], "duplicate");
    case "taken_over":
      return nothing(["not_earned", "waiting"], null);
    case "pending":
      return nothing(
        known.closed ? ["not_earned"] : ["waiting"],
        known.closed ? null : "not_booked_yet",
      );
    case "live":
      return predictLive(model, key, known);
  }
}

function predictLive(model: Predictable, key: string, known: KnownRow): Prediction {
  if (known.row.kind === "refund") {
    return {
      outcomes: ["not_earned", "reversed", "waiting"],
      points: 0,
      firstReason: (model.resolution.refundOf.get(key) ?? []).length === 0
        ? "refund_without_purchase"
        : "refund_applied",
    };
  }
  const grant = model.grants.get(key);
  if (known.awaitsDay) {
    return { outcomes: ["waiting"], points: 0, firstReason: "not_booked_yet" };
  }
  if (grant === undefined) throw new Error(`the model took no decision on ${key}`);
  const points = grant.active;
  const refunded = (model.resolution.refundedCents.get(key) ?? 0) > 0;
  if (grant.state === "waiting") {
    return { outcomes: ["waiting"], points: 0, firstReason: "budget_reserving" };
  }
  if (grant.points === 0) {
    const judgedAgain = model.loose.has(known.row.brand?.id ?? "");
    return { outcomes: ["not_earned"], points, firstReason: judgedAgain ? null : grant.reason };
  }
  if (grant.reversed) return { outcomes: ["reversed"], points, firstReason: "refunded" };
  return {
    outcomes: points === 0 && (refunded || model.dependent(known.row.brand?.id ?? null))
      ? ["earned", "reversed"]
      : ["earned"],
    points,
    firstReason: null,
  };
}
