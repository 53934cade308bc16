// Offers as operators send them: names and JSON types. Whether the terms make sense is
// `checkOfferVersion`'s.
import { z } from "zod";

const whole = z.number().int();
const title = z.string().trim().min(1).max(120).regex(/^[^\p{Cc}]*$/u);

/**
 * Terms as API.md takes them: names and JSON types. Whether they make sense is
 * `checkOfferVersion`'s.
 */
export const versionInput = z.strictObject({
  kind: z.enum(["percent", "fixed", "points_per_euro", "tiered"]),
  rate_bp: whole.nullable().optional(),
  points: whole.nullable().optional(),
  tiers: z.array(z.strictObject({ from_cents: whole, rate_bp: whole })).max(100).nullable()
    .optional(),
  min_cents: whole.nullable().optional(),
  max_cents: whole.nullable().optional(),
  cap_points_per_purchase: whole.nullable().optional(),
  cap_points_per_user: whole.nullable().optional(),
  cap_purchases_per_user: whole.nullable().optional(),
  period: z.enum(["day", "week", "month", "offer"]).nullable().optional(),
  first_purchase_only: z.boolean().nullable().optional(),
  activation: z.enum(["automatic", "required"]),
  activation_days: whole.nullable().optional(),
  channel: z.enum(["any", "in_store", "online"]),
  starts_at: z.string().max(40),
  ends_at: z.string().max(40).nullable().optional(),
  confirmation_days: whole,
  budget_points: whole.nullable().optional(),
  priority: whole,
});

export const titleInput = z.strictObject({ fr: title, en: title });

const paragraph = z.string().trim().min(1).max(2000).regex(/^[^\p{Cc}]*$/u);
const descriptionInput = z.strictObject({ fr: paragraph, en: paragraph });
// Clients put it into a page: only a web address is allowed.
const imageUrl = z.url({ protocol: /^https?$/ }).max(300);
/** What is said of an offer beside its title; null and absent: nothing. */
const wordsInput = {
  description: descriptionInput.nullable().optional(),
  image_url: imageUrl.nullable().optional(),
};

export const offerInput = z.strictObject({
  brand_id: z.string().max(60),
  title: titleInput,
  ...wordsInput,
  version: versionInput,
});

/** What may be changed of an offer; what is absent stays. */
export const offerEdit = z.strictObject({ title: titleInput.optional(), ...wordsInput });

/** `immediately` needs a second person and a reason. */
export const stopInput = z.strictObject({
  immediately: z.boolean().optional(),
  reason: z.string().trim().min(1).max(500).regex(/^[^\p{Cc}]*$/u).optional(),
});

/** An offer in a file names its brand by id or by name. */
export const offerImportItem = z.strictObject({
  brand_id: z.string().max(60).optional(),
  brand: z.string().max(80).optional(),
  title: titleInput,
  ...wordsInput,
  version: versionInput,
});

export type OfferInput = z.output<typeof offerInput>;
export type OfferEdit = z.output<typeof offerEdit>;
export type OfferImportItem = z.output<typeof offerImportItem>;
