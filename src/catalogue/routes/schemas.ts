// Shapes of the catalogue's answers, for the OpenAPI document and the types of the handlers.
import { z } from "@hono/zod-openapi";

const instant = z.iso.datetime();
const whole = z.number().int();
const cents = whole.openapi({ description: "Euro cents" });

export const brandSchema = z.object({
  id: z.string(),
  name: z.string(),
  category: z.string(),
  logo_url: z.string().nullable(),
  website: z.string().nullable(),
}).openapi("Brand");

const aliasChangeSchema = z.object({
  id: z.string(),
  name: z.string(),
  aliases: z.array(z.string()),
  excluded: z.array(z.string()),
  created_by: z.string(),
  created_at: instant,
}).openapi("AliasChange");

const warningSchema = z.object({
  code: z.enum(["alias_too_short", "alias_ordinary_word", "alias_collides"]),
  alias: z.string(),
  with: z.string().optional(),
}).openapi("AliasWarning", { description: "Advice about an alias; never a refusal" });

export const operatorBrandSchema = brandSchema.extend({
  aliases: z.array(z.string()),
  excluded: z.array(z.string()),
  wikidata: z.string().nullable(),
  archived_at: instant.nullable(),
  waiting_change: aliasChangeSchema.nullable().openapi({
    description: "A change of name or aliases that a second person must approve",
  }),
  created_at: instant,
  updated_at: instant,
}).openapi("OperatorBrand");

export const brandAnswerSchema = operatorBrandSchema.extend({ warnings: z.array(warningSchema) })
  .openapi("OperatorBrandAnswer");

const termsShape = {
  number: whole,
  kind: z.enum(["percent", "fixed", "points_per_euro", "tiered"]),
  rate_bp: whole.nullable(),
  points: whole.nullable(),
  tiers: z.array(z.object({ from_cents: cents, rate_bp: whole })).nullable(),
  min_cents: cents.nullable(),
  max_cents: cents.nullable(),
  cap_points_per_purchase: whole.nullable(),
  cap_points_per_user: whole.nullable(),
  cap_purchases_per_user: whole.nullable(),
  period: z.enum(["day", "week", "month", "offer"]),
  first_purchase_only: z.boolean(),
  activation: z.enum(["automatic", "required"]),
  activation_days: whole.nullable(),
  channel: z.enum(["any", "in_store", "online"]),
  starts_at: instant,
  ends_at: instant.nullable(),
  confirmation_days: whole,
};

const offerTermsSchema = z.object(termsShape).openapi("OfferTerms", {
  description: "The terms in force, with the window that really applies",
});

const operatorVersionSchema = z.object({
  ...termsShape,
  budget_points: whole.nullable(),
  priority: whole,
  state: z.enum(["approved", "waiting"]),
  second_person: z.boolean(),
  created_by: z.string(),
  created_at: instant,
  approved_by: z.string().nullable(),
  approved_at: instant.nullable(),
  in_force: z.object({ from: instant, to: instant.nullable() }).nullable()
    .openapi({
      description:
        "The window that really applies, be it past, present or to come; null while the version waits, and for one that never holds",
    }),
}).openapi("OfferVersion");

export const operatorOfferSchema = z.object({
  id: z.string(),
  brand_id: z.string(),
  title: z.object({ fr: z.string(), en: z.string() }),
  description: z.object({ fr: z.string(), en: z.string() }).nullable(),
  image_url: z.string().nullable(),
  created_by: z.string(),
  created_at: instant,
  version: operatorVersionSchema,
}).openapi("OperatorOffer");

const stopSchema = z.object({
  kind: z.enum(["end_of_day", "immediate"]),
  state: z.enum(["waiting", "in_force"]).openapi({
    description: "`waiting`: for a second person",
  }),
  reason: z.string().nullable(),
  created_by: z.string(),
  created_at: instant,
  approved_by: z.string().nullable(),
  stops_at: instant.nullable(),
}).openapi("OfferStop");

export const operatorOfferEntrySchema = operatorOfferSchema.extend({
  version_in_force: operatorVersionSchema.nullable(),
  next_version: operatorVersionSchema.nullable(),
  budget: z.object({ points: whole, reserved: whole, left: whole, percent: whole }).nullable()
    .openapi({ description: "Of the version in force, as its last reservation left it" }),
  stops: z.array(stopSchema),
  versions: z.array(operatorVersionSchema),
}).openapi("OperatorOfferWithVersions");

const lineShape = {
  line: whole,
  status: z.enum(["created", "updated", "unchanged", "waiting"]),
  id: z.string().nullable().openapi({
    description: "Null in a preview for what does not exist yet",
  }),
  changed: z.array(z.string()).openapi({ description: "Members that apply at once" }),
  waiting: z.array(z.string()).openapi({
    description: "Members that wait for a second person",
  }),
};
const countShape = {
  dry_run: z.boolean(),
  created: whole,
  updated: whole,
  unchanged: whole,
  waiting: whole,
};

export const brandReportSchema = z.object({
  ...countShape,
  advised: whole.openapi({
    description: "How many of the changed lines were looked at for advice",
  }),
  lines: z.array(z.object({ ...lineShape, warnings: z.array(warningSchema) })),
}).openapi("BrandImportReport");
export const offerReportSchema = z.object({ ...countShape, lines: z.array(z.object(lineShape)) })
  .openapi("OfferImportReport");

export const activationSchema = z.object({ activated_at: instant, expires_at: instant.nullable() })
  .openapi("Activation");

export const publicOfferSchema = z.object({
  id: z.string(),
  brand: brandSchema,
  title: z.string(),
  description: z.string().nullable(),
  image_url: z.string().nullable(),
  in_force: z.boolean(),
  version: offerTermsSchema,
  activation: activationSchema.nullable(),
  eligible: z.object({
    value: z.boolean(),
    reasons: z.array(z.object({ code: z.string(), message: z.string() })),
  }).nullable().openapi({
    description: "Whether the next purchase would earn; without a token null",
  }),
  used: z.object({ points: whole, purchases: whole, resets_on: z.iso.date().nullable() }).nullable()
    .openapi({
      description: "What the user has used in the present period of the caps",
    }),
}).openapi("Offer");

export const recognitionSchema = z.object({
  kind: z.enum(["card", "refund", "withdrawal", "transfer", "debit", "other"]),
  brand: z.object({ id: z.string(), name: z.string() }).nullable(),
  matched: z.string().nullable(),
  confidence: z.number(),
  merchant: z.string(),
  channel: z.enum(["in_store", "online", "unknown"]),
  evidence: z.array(z.string()),
}).openapi("Recognition");

export const correctionSchema = z.object({
  id: z.string().nullable().openapi({ description: "What to approve; null once in force" }),
  state: z.enum(["in_force", "waiting"]).openapi({
    description: "`waiting`: for a second person, since an offer pays for the brand",
  }),
  merchant: z.string(),
  brand_id: z.string().nullable(),
  created_by: z.string(),
  created_at: instant,
  updated_at: instant,
}).openapi("Correction");

export const proposalSchema = z.object({
  id: z.string(),
  kind: z.enum(["alias", "descriptor", "exclusion", "frame"]),
  brand: z.object({ id: z.string(), name: z.string() }).nullable(),
  text: z.string(),
  decisions: whole.openapi({ description: "How many corrections suggest it" }),
  effect: z.object({
    labels: whole.openapi({
      description: "Labels whose answer is known: corrections, and brands' own names and aliases",
    }),
    gained: whole.openapi({ description: "Labels that would become right" }),
    lost: whole.openapi({ description: "Right labels that would become wrong" }),
    changes: z.array(
      z.object({
        label: z.string(),
        before: z.string().nullable(),
        after: z.string().nullable(),
      }),
    ),
  }),
}).openapi("RecognitionProposal");

export const legalNameReportSchema = z.object({
  ...countShape,
  lines: z.array(z.object(lineShape)),
}).openapi("LegalNameImportReport");
