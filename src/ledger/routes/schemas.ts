// Shapes of the ledger's answers, for the OpenAPI document and the types of the handlers.
import { z } from "@hono/zod-openapi";
import { pageOf } from "../../http/paging.ts";
import type { ReasonCode } from "../ports.ts";

const whole = z.number().int();
const points = whole.openapi({ description: "Points" });
const date = z.iso.date();
const balances = z.object({ pending: points, available: points, held: points });
const dated = z.object({ on: date, points });

export const entrySchema = z.object({
  id: z.string(),
  sequence: whole,
  kind: z.enum([
    "earn",
    "confirm",
    "cancel",
    "clawback",
    "hold",
    "settle",
    "release",
    "reinstate",
    "expire",
    "referral",
    "goodwill",
    "forfeit",
  ]),
  changes: balances,
  balances,
  purchase_id: z.string().optional(),
  brand: z.object({ id: z.string(), name: z.string(), logo_url: z.string().nullable() }).optional(),
  redemption_id: z.string().optional(),
  reverses: z.string().optional(),
  effective_on: date,
  recorded_at: z.iso.datetime(),
  hash: z.string(),
}).openapi("Entry");

export const pointsSchema = z.object({
  available: points,
  pending: points,
  held: points,
  value_cents: whole.openapi({ description: "What the available points are worth, rounded down" }),
  currency: z.string(),
  next_confirmation: dated.nullable(),
  next_expiry: dated.nullable(),
  ledger: z.object({ sequence: whole, head: z.string() }),
  entries: pageOf(entrySchema).optional().openapi({
    description: "The newest entries, when asked for with `entries`",
  }),
}).openapi("Points");

const reasonCodes = [
  "offer_applied",
  "brand_unknown",
  "brand_without_offer",
  "offer_not_in_force",
  "activation_missing",
  "below_minimum",
  "above_maximum",
  "cap_reached",
  "budget_reserving",
  "budget_exhausted",
  "not_first_purchase",
  "wrong_channel",
  "not_booked_yet",
  "duplicate",
  "refunded",
  "refund_applied",
  "refund_without_purchase",
  "account_shared",
  "account_not_earning",
  "currency_unsupported",
  "held_for_review",
  "programme_paused",
] as const satisfies readonly ReasonCode[];
const reason = z.enum(reasonCodes);

const offer = z.object({ id: z.string(), version: whole });
const value = z.union([z.number(), z.string()]).nullable();

const ruleSchema = z.object({
  rule: reason,
  offer: offer.nullable(),
  passed: z.boolean(),
  needed: value,
  found: value,
  measure: z.string().optional(),
  period: z.string().optional(),
  text: z.string(),
}).openapi("RuleCheck", {
  description:
    "One rule that was looked at: what it needed and what it found, by `measure`. A rule that was not reached is not among them",
});

export const purchaseSchema = z.object({
  id: z.string(),
  account_id: z.string(),
  label: z.string().nullable().openapi({
    description: "The bank's text; null only when it cannot be decrypted",
  }),
  purchased_on: date,
  booked_on: date.nullable(),
  amount_cents: whole,
  currency: z.string(),
  original: z.object({ amount_cents: whole, currency: z.string() }).nullable(),
  kind: z.enum(["purchase", "refund"]),
  state: z.enum(["pending", "booked", "deleted"]),
  brand: z.object({
    id: z.string(),
    name: z.string(),
    logo_url: z.string().nullable(),
    matched: z.string(),
  }).nullable(),
  refund_of: z.string().nullable().openapi({
    description: "The first of `refund_of_purchases`, or null",
  }),
  refund_of_purchases: z.array(z.object({ id: z.string(), amount_cents: whole })).openapi({
    description:
      "The purchases that a refund gives back, and how much of each. Together they may be less than the refund (postage, exchange rate)",
  }),
  verdict: z.object({
    outcome: z.enum(["earned", "not_earned", "reversed", "waiting"]),
    points,
    reasons: z.array(z.object({ code: reason, message: z.string() })),
    rules: z.array(ruleSchema).optional().openapi({
      description:
        "Every rule that was looked at: of a single purchase, in lists with include=rules",
    }),
    calculation: z.object({
      base_cents: whole,
      rate_bp: whole.nullable(),
      points_per_euro: whole,
      uncapped: points,
      capped: points,
      text: z.string(),
    }).nullable(),
    offer: offer.nullable(),
    confirmation_expected_on: date.nullable(),
  }),
}).openapi("Purchase");
