// `POST /admin/v1/offers/dry-run`: a draft, checked like a version that is to be added, run over
// the statistics sample. It writes nothing, so it takes no Idempotency-Key.
import { createRoute, z } from "@hono/zod-openapi";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AuditEvent } from "../../audit/ports.ts";
import { audited } from "../../audit/ports.ts";
import { requireRole } from "../../http/authentication.ts";
import type { OperatorTokens } from "../../http/authentication.ts";
import type { AppEnv } from "../../http/context.ts";
import { answer, body, createRouter, operatorSecurity, problems } from "../../http/router.ts";
import type { DryRun, DryRunReport } from "../../insights/ports.ts";
import { isId } from "../../kernel/ids.ts";
import type { BrandId, OfferId } from "../../kernel/ids.ts";
import type { Clock } from "../../kernel/time.ts";
import { fieldError } from "../errors.ts";
import type { CatalogueFieldError } from "../errors.ts";
import { checkOfferVersion } from "../terms/check-version.ts";
import { offerVersionDetail } from "../terms/version-problems.ts";
import { titleInput, versionInput } from "../offers/offer.ts";
import type { CatalogueService } from "../service.ts";
import { refuseFields } from "./deps.ts";

type DryRunRouteDeps = {
  readonly service: Pick<CatalogueService, "now">;
  readonly dryRun: DryRun;
  readonly operatorTokens: OperatorTokens;
  readonly note: (event: AuditEvent) => Promise<void>;
  readonly clock: Clock;
  readonly pointsPerEuro: number;
};

const whole = z.number().int();
const cents = whole.openapi({ description: "Euro cents, rounded down" });
const figures = { purchases: whole, eligible: whole, points: whole, cost_cents: cents };
const reportSchema = z.object({
  ...figures,
  by_reason: z.record(z.string(), whole).openapi({
    description: "The deciding reason of each purchase; adds up to `purchases`",
  }),
  by_month: z.array(z.object({ month: z.string(), ...figures })),
  sample: z.object({
    from: z.string().nullable(),
    to: z.string().nullable(),
    rows: whole,
    users: whole.openapi({ description: "A user counts once a month: pseudonyms change with it" }),
    share: z.number().openapi({
      description: "Part of the users' months that the sample takes, from 0 to 1",
    }),
  }),
  assumptions: z.array(
    z.enum(["always_in_force", "always_activated", "channel_matches", "users_restart_monthly"]),
  )
    .openapi({
      description:
        "What the sample cannot show; each makes the figures higher than the offer would have cost",
    }),
}).openapi("OfferDryRun");

const BUCKETS = 65_536;

function present(report: DryRunReport): z.output<typeof reportSchema> {
  const { buckets, ...sample } = report.sample;
  return {
    purchases: report.purchases,
    eligible: report.eligible,
    points: report.points,
    cost_cents: report.costCents,
    by_reason: { ...report.byReason },
    by_month: report.byMonth.map(({ costCents, ...month }) => ({
      ...month,
      cost_cents: costCents,
    })),
    sample: { ...sample, share: buckets / BUCKETS },
    assumptions: [...report.assumptions],
  };
}

const DRAFT = "off_draft" as OfferId;

/** To be mounted under `/admin/v1`. */
export function dryRunRoutes(deps: DryRunRouteDeps): OpenAPIHono<AppEnv> {
  const router = createRouter();
  const route = createRoute({
    method: "post",
    path: "/offers/dry-run",
    tags: ["Operators: catalogue"],
    security: operatorSecurity,
    summary: "Estimate what a draft of an offer would have cost",
    description:
      "Runs the draft over at most 100 000 recognised purchases of the last 90 days, of users who consent to statistics. No Idempotency-Key.",
    middleware: [
      audited(deps.note, { reads: true }),
      requireRole(deps.operatorTokens, "catalogue"),
    ],
    // A draft may come exactly as it would be sent to be made, title and all.
    request: {
      body: body(
        z.strictObject({
          brand_id: z.string().max(60),
          title: titleInput.optional(),
          version: versionInput,
        }),
      ),
    },
    responses: {
      200: answer(reportSchema, "What it would have given"),
      ...problems(400, 401, 403, 413, 415, 422, 503),
    },
  });
  router.openapi(route, async (c) => {
    const { brand_id: brand, version } = c.req.valid("json");
    const nowMs = deps.clock.nowMs();
    const checked = checkOfferVersion(version, { pointsPerEuro: deps.pointsPerEuro });
    const { catalogue } = await deps.service.now();
    const brandId: BrandId | null = isId("brd", brand) && catalogue.brands.has(brand)
      ? brand
      : null;
    if (brandId === null || !checked.ok) {
      const errors: CatalogueFieldError[] = brandId === null
        ? [fieldError("/brand_id", "brand_unknown")]
        : [];
      if (!checked.ok) {
        for (const { pointer, code, detail_key: key } of checked.error) {
          errors.push({
            pointer: `/version${pointer}`,
            code,
            detail: { fr: offerVersionDetail(key, "fr"), en: offerVersionDetail(key, "en") },
          });
        }
      }
      return refuseFields(c, errors) as never;
    }
    const report = await deps.dryRun({
      ...checked.value,
      offerId: DRAFT,
      version: 1,
      brandId,
      offerCreatedAtMs: nowMs,
    });
    return c.json(present(report), 200);
  });
  return router;
}
