// Operators' corrections of what a label is recognised as. Kept is the recogniser's cleaned
// merchant text, and only of card rows: the label itself, and who sends or receives a transfer, are
// a user's data.
import { z } from "zod";
import type { BrandId } from "../../kernel/ids.ts";
import { isId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import type { AggregatorHint, Recogniser } from "../../recognition/ports.ts";
import type { Catalogue, CorrectionRecord } from "../catalogue.ts";
import type { Act, Decision } from "../decision.ts";
import { fieldError } from "../errors.ts";

const label = z.string().trim().min(1).max(512);
const hint = z.enum(["card", "refund", "withdrawal", "transfer", "debit", "other", "unknown"]);

export const explainInput = z.strictObject({ label, type: hint.optional() });
export const correctionInput = z.strictObject({
  label,
  type: hint.optional(),
  brand_id: z.string().max(60).nullable(),
});

export type CorrectionInput = {
  readonly label: string;
  readonly type?: AggregatorHint | undefined;
  readonly brand_id: string | null;
};

/** Says that a label is a brand's, or none's, from now on. */
export function correct(
  catalogue: Catalogue,
  recogniser: Recogniser,
  input: CorrectionInput,
  act: Act,
): Decision<CorrectionRecord> {
  const seen = recogniser.explain(input.label, input.type);
  if (seen.kind !== "card" && seen.kind !== "refund") {
    return err({ code: "invalid", errors: [fieldError("/label", "label_not_card")] });
  }
  const merchant = seen.merchant.trim().slice(0, 200);
  if (merchant === "") {
    return err({ code: "invalid", errors: [fieldError("/label", "merchant_missing")] });
  }
  let brandId: BrandId | null = null;
  if (input.brand_id !== null) {
    if (!isId("brd", input.brand_id) || !catalogue.brands.has(input.brand_id)) {
      return err({ code: "invalid", errors: [fieldError("/brand_id", "brand_unknown")] });
    }
    brandId = input.brand_id;
  }
  const existing = catalogue.corrections.get(merchant);
  // The merchant text stays out of the audit trail, which takes ids and numbers only.
  const audit = {
    action: "recognition.correct",
    target: brandId ?? "none",
    details: { replaced: existing !== undefined },
  };
  if (existing !== undefined && existing.brandId === brandId) {
    return ok({ value: existing, change: null, audit });
  }
  const correction = {
    merchant,
    brandId,
    createdBy: act.operator,
    createdAtMs: existing?.createdAtMs ?? act.nowMs,
    updatedAtMs: act.nowMs,
  };
  return ok({ value: correction, change: { corrections: [correction] }, audit });
}
