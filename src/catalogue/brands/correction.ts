// Operators' corrections of what a label is recognised as. Kept is the recogniser's cleaned
// merchant text, and only of card rows: the label itself, and who sends or receives a transfer, are
// a user's data.
import { z } from "zod";
import { mayBeSamePerson, refusesApproval } from "../../http/second-person.ts";
import type { BrandId } from "../../kernel/ids.ts";
import { isId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import type { AggregatorHint, Recogniser } from "../../recognition/ports.ts";
import { hasCurrentOrFutureOffer } from "../catalogue.ts";
import type { Catalogue, CorrectionChange, CorrectionRecord } from "../catalogue.ts";
import type { Act, Decision } from "../decision.ts";
import { fieldError } from "../errors.ts";
import type { CatalogueError, CatalogueFieldCode } from "../errors.ts";

const label = z.string().trim().min(1).max(512);
const hint = z.enum(["card", "refund", "withdrawal", "transfer", "debit", "other", "unknown"]);

export const explainInput = z.strictObject({ label, type: hint.optional() });
export const correctionInput = z.strictObject({
  label,
  type: hint.optional(),
  brand_id: z.string().max(60).nullable(),
});

type CorrectionInput = {
  readonly label: string;
  readonly type?: AggregatorHint | undefined;
  readonly brand_id: string | null;
};

/** What is said of a merchant text now, and what waits for a second person; not both null. */
export type CorrectionOutcome = {
  readonly correction: CorrectionRecord | null;
  readonly waiting: CorrectionChange | null;
};

/** The correction as it is stored; a present one of the merchant keeps its date. */
export function recordOf(
  { merchant, brandId, createdBy }: Pick<CorrectionRecord, "merchant" | "brandId" | "createdBy">,
  existing: CorrectionRecord | undefined,
  nowMs: number,
): CorrectionRecord {
  return {
    merchant,
    brandId,
    createdBy,
    createdAtMs: existing?.createdAtMs ?? nowMs,
    updatedAtMs: nowMs,
  };
}

function newChange(merchant: string, brandId: BrandId, act: Act): CorrectionChange {
  return {
    id: act.newId("chg"),
    merchant,
    brandId,
    createdBy: act.operator,
    createdAtMs: act.nowMs,
    approvedBy: null,
  };
}

/** The merchant text that the label is kept as, and the brand that is meant. */
function readCorrection(
  catalogue: Catalogue,
  recogniser: Recogniser,
  input: CorrectionInput,
): Result<Pick<CorrectionRecord, "merchant" | "brandId">, CatalogueError> {
  const refused = (pointer: string, code: CatalogueFieldCode) =>
    err({ code: "invalid" as const, errors: [fieldError(pointer, code)] });
  const seen = recogniser.explain(input.label, input.type);
  if (seen.kind !== "card" && seen.kind !== "refund") return refused("/label", "label_not_card");
  const merchant = seen.merchant.trim().slice(0, 200);
  if (merchant === "") return refused("/label", "merchant_missing");
  if (input.brand_id === null) return ok({ merchant, brandId: null });
  return isId("brd", input.brand_id) && catalogue.brands.has(input.brand_id)
    ? ok({ merchant, brandId: input.brand_id })
    : refused("/brand_id", "brand_unknown");
}

/**
 * Says that a label is a brand's, or none's, from now on. For a brand that an offer pays for it
 * waits for a second person; the same request of another person is that approval. Whatever is said
 * later of the same merchant replaces what waits.
 */
export function correct(
  catalogue: Catalogue,
  recogniser: Recogniser,
  input: CorrectionInput,
  act: Act,
): Decision<CorrectionOutcome> {
  const read = readCorrection(catalogue, recogniser, input);
  if (!read.ok) return read;
  const { merchant, brandId } = read.value;
  const existing = catalogue.corrections.get(merchant);
  const waiting = catalogue.waitingCorrections.get(merchant);
  const paid = brandId !== null && hasCurrentOrFutureOffer(catalogue, brandId, act.nowMs);
  // The merchant text stays out of the audit trail, which takes ids and numbers only.
  const audit = {
    action: "recognition.correct",
    target: brandId ?? "none",
    details: { replaced: existing !== undefined, waiting: paid },
  };
  const present = existing ?? null;
  if (existing !== undefined && existing.brandId === brandId && waiting === undefined) {
    return ok({ value: { correction: existing, waiting: null }, change: null, audit });
  }
  if (!paid || existing?.brandId === brandId) {
    const correction = recordOf(
      { merchant, brandId, createdBy: act.operator },
      existing,
      act.nowMs,
    );
    return ok({
      value: { correction, waiting: null },
      change: { corrections: [correction] },
      audit,
    });
  }
  if (waiting?.brandId === brandId) {
    if (!mayBeSamePerson(waiting.createdBy, act.operator)) {
      return approveCorrection(catalogue, waiting.id, act);
    }
    return ok({ value: { correction: present, waiting }, change: null, audit });
  }
  const change = newChange(merchant, brandId, act);
  return ok({
    value: { correction: present, waiting: change },
    change: { correctionChanges: [change] },
    audit,
  });
}

/** Puts a correction that waits in force. Not by the one who asked for it. */
export function approveCorrection(
  catalogue: Catalogue,
  changeId: string,
  act: Act,
): Decision<CorrectionOutcome> {
  const asked = catalogue.correctionChanges.get(changeId);
  if (asked === undefined) return err({ code: "not_found" });
  const audit = {
    action: "recognition.approve_correction",
    target: asked.brandId,
    details: { change: changeId },
  };
  const existing = catalogue.corrections.get(asked.merchant);
  if (asked.approvedBy === act.operator && existing !== undefined) {
    return ok({ value: { correction: existing, waiting: null }, change: null, audit });
  }
  if (asked.approvedBy !== null) return err({ code: "not_waiting" });
  const refusal = refusesApproval(asked.createdBy, act);
  if (refusal !== null) return err(refusal);
  const correction = recordOf(asked, existing, act.nowMs);
  return ok({
    value: { correction, waiting: null },
    change: {
      corrections: [correction],
      approvedCorrection: { id: changeId, approvedBy: act.operator },
    },
    audit,
  });
}
