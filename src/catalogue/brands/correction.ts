// Operators' corrections of what a label is recognised as. Kept is the recogniser's cleaned
// merchant text, and only of card rows: the label itself, and who sends or receives a transfer, are
// a user's data.
import { z } from "zod";
import type { BrandId } from "../../kernel/ids.ts";
import { isId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import type { AggregatorHint, Recogniser } from "../../recognition/ports.ts";
import { nameKey } from "../catalogue.ts";
import type { Catalogue, CorrectionRecord } from "../catalogue.ts";
import type { Act, Decision, ImportLine } from "../decision.ts";
import { fieldError, lineError } from "../errors.ts";
import { inLineOrder } from "../import/import-file.ts";
import type { CheckedFile } from "../import/import-file.ts";

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

/** A line of an import of legal names: what acquirers write, and the brand by id or name. */
export const legalNameItem = z.strictObject({
  legal_name: z.string().trim().min(1).max(120),
  brand: z.string().trim().min(1).max(80),
});

type LegalNameImport = { readonly lines: readonly ImportLine[] };

function brandOf(catalogue: Catalogue, named: string): BrandId | null {
  if (isId("brd", named)) return catalogue.brands.has(named) ? named : null;
  return catalogue.brandsByName.get(nameKey(named))?.id ?? null;
}

/**
 * Imports legal names as corrections: a shop's legal name holds before any number or town. All or
 * nothing, every bad line is reported, and a file may be imported twice.
 */
export function importLegalNames(
  catalogue: Catalogue,
  recogniser: Recogniser,
  file: CheckedFile<z.output<typeof legalNameItem>>,
  act: Act,
): Decision<LegalNameImport> {
  const errors = [...file.errors];
  const written = new Map<string, CorrectionRecord>();
  const lines: ImportLine[] = [];
  const seen = new Set<string>();
  for (const at of file.lines) {
    if (at.item === null) continue;
    const { kind, merchant } = recogniser.recognise(at.item.legal_name, "card");
    const brandId = brandOf(catalogue, at.item.brand);
    if (kind !== "card") errors.push(lineError(at, "/legal_name", "label_not_card"));
    else if (merchant === "") errors.push(lineError(at, "/legal_name", "merchant_missing"));
    else if (seen.has(merchant)) errors.push(lineError(at, "/legal_name", "legal_name_repeated"));
    if (brandId === null) {
      errors.push(lineError(at, "/brand", "brand_unknown"));
      continue;
    }
    seen.add(merchant);
    const existing = catalogue.corrections.get(merchant);
    const status = existing === undefined
      ? "created"
      : existing.brandId === brandId
      ? "unchanged"
      : "updated";
    lines.push({
      line: at.line,
      status,
      id: brandId,
      changed: status === "unchanged" ? [] : ["brand"],
      waiting: [],
    });
    if (status === "unchanged") continue;
    written.set(merchant, {
      merchant,
      brandId,
      createdBy: act.operator,
      createdAtMs: existing?.createdAtMs ?? act.nowMs,
      updatedAtMs: act.nowMs,
    });
  }
  if (errors.length > 0) return err({ code: "invalid", errors: inLineOrder(errors) });
  // Legal names stay out of the audit trail: a sole trader's is a person's.
  return ok({
    value: { lines },
    change: written.size === 0 ? null : { corrections: [...written.values()] },
    audit: {
      action: "recognition.import_legal_names",
      target: "corrections",
      details: { written: written.size, unchanged: lines.length - written.size },
    },
  });
}
