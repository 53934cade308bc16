// The shapes of banks, connections and accounts (API.md, "Bank connections"), and how ours are put
// into them.
import { z } from "@hono/zod-openapi";
import type { Locale } from "../../http/context.ts";
import { toInstant } from "../../kernel/time.ts";
import type { AccountView, ConnectionView } from "../connections/index.ts";
import { BANKING } from "../../texts/texts.ts";

export const bankSchema = z.object({
  id: z.string(),
  name: z.string(),
  color: z.string().nullable(),
  country: z.string().nullable(),
}).openapi("Bank");
export const accountSchema = z.object({
  id: z.string(),
  kind: z.enum(["checking", "card"]),
  label: z.string(),
  earning: z.boolean(),
  not_earning: z.enum(["choice", "shared", "age_review"]).nullable().openapi({
    description:
      "Why it does not earn: its user switched it off, another holder earns with the bank account (this ends by itself when they leave), or the user's age is being reviewed",
  }),
  transfer_asked: z.object({
    by: z.enum(["you", "other"]),
    asked_at: z.string(),
    expires_at: z.string(),
  }).nullable().openapi({
    description:
      "An open request to earn in the other holder's place: `you` made it, or `other` asks you for an answer",
  }),
  last_purchase_on: z.string().nullable(),
}).openapi("BankAccount");
export const connectionSchema = z.object({
  id: z.string(),
  bank: z.object({ id: z.string(), name: z.string() }),
  status: z.enum([
    "connecting",
    "active",
    "action_required",
    "expired",
    "unavailable",
    "needs_repair",
    "removed",
  ]),
  action: z.enum(["none", "renew", "update_credentials", "act_at_bank"]),
  consent: z.object({ granted_at: z.string(), expires_at: z.string() }),
  last_synced_at: z.string().nullable(),
  gaps: z.array(z.object({ from: z.iso.date(), to: z.iso.date(), recovered: z.boolean() })).openapi(
    {
      description:
        "Days without syncs, from the last good one to the renewal; `recovered` once they were read back",
    },
  ),
  accounts: z.array(accountSchema),
}).openapi("BankConnection");
export const authorizationSchema = z.object({
  authorization_url: z.string(),
  state: z.string(),
  expires_at: z.string(),
}).openapi("BankAuthorization");
export const redirectUri = z.string().min(1).max(2048);
export const idPath = z.object({ id: z.string().max(64) });
export const keyHeader = z.object({
  "idempotency-key": z.string().optional().openapi({
    description: "1 to 255 visible ASCII characters; required",
  }),
});
export const tags = ["Bank connections"];

/** An account; its label is ours, never the bank's text. */
export function presentAccount(account: AccountView, locale: Locale) {
  return {
    id: account.id,
    kind: account.kind,
    label: BANKING.in(locale)("account_label", { ordinal: String(account.ordinal) }),
    earning: account.earning,
    not_earning: account.notEarning,
    transfer_asked: account.transfer === null ? null : {
      by: account.transfer.by,
      asked_at: toInstant(account.transfer.askedAtMs),
      expires_at: toInstant(account.transfer.expiresAtMs),
    },
    last_purchase_on: account.lastPurchaseOn,
  };
}

/** A connection with its accounts. */
export function presentConnection(view: ConnectionView, locale: Locale) {
  return {
    id: view.id,
    bank: { ...view.bank },
    status: view.status,
    action: view.action,
    consent: {
      granted_at: toInstant(view.consentGrantedAtMs),
      expires_at: toInstant(view.consentExpiresAtMs),
    },
    last_synced_at: view.lastSyncedAtMs === null ? null : toInstant(view.lastSyncedAtMs),
    gaps: view.gaps.map((gap) => ({ ...gap })),
    accounts: view.accounts.map((account) => presentAccount(account, locale)),
  };
}
