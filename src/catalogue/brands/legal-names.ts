// An import of legal names: what acquirers write where a shop's sign is meant.
import { z } from "zod";
import type { BrandId } from "../../kernel/ids.ts";
import { isId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Recogniser } from "../../recognition/ports.ts";
import { hasCurrentOrFutureOffer, nameKey } from "../catalogue.ts";
import type { Catalogue, CorrectionChange, CorrectionRecord } from "../catalogue.ts";
import type { Act, Decision, ImportLine } from "../decision.ts";
import { lineError } from "../errors.ts";
import { inLineOrder } from "../import/import-file.ts";
import type { CheckedFile } from "../import/import-file.ts";
import { recordOf } from "./correction.ts";

/** A line of an import of legal names: what acquirers write, and the brand by id or name. */
export const legalNameItem = z.strictObject({
  legal_name: z.string().trim().min(1).max(120),
  brand: z.string().trim().min(1).max(80),
});

type LegalNameImport = { readonly lines: readonly ImportLine[] };

type Written = {
  readonly corrections: CorrectionRecord[];
  readonly correctionChanges: CorrectionChange[];
};

function brandOf(catalogue: Catalogue, named: string): BrandId | null {
  if (isId("brd", named)) return catalogue.brands.has(named) ? named : null;
  return catalogue.brandsByName.get(nameKey(named))?.id ?? null;
}

/** What one good line does. For a brand that an offer pays for it waits for a second person. */
function applyLine(
  catalogue: Catalogue,
  merchant: string,
  brandId: BrandId,
  act: Act,
  written: Written,
): ImportLine["status"] {
  const existing = catalogue.corrections.get(merchant);
  const waiting = catalogue.waitingCorrections.get(merchant);
  if (existing?.brandId === brandId && waiting === undefined) return "unchanged";
  const asked = { merchant, brandId, createdBy: act.operator };
  if (
    existing?.brandId !== brandId && hasCurrentOrFutureOffer(catalogue, brandId, act.nowMs)
  ) {
    if (waiting?.brandId === brandId) return "waiting";
    written.correctionChanges.push({
      ...asked,
      id: act.newId("chg"),
      createdAtMs: act.nowMs,
      approvedBy: null,
    });
    return "waiting";
  }
  written.corrections.push(recordOf(asked, existing, act.nowMs));
  return existing === undefined ? "created" : "updated";
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
  const written: Written = { corrections: [], correctionChanges: [] };
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
    const status = applyLine(catalogue, merchant, brandId, act, written);
    lines.push({
      line: at.line,
      status,
      id: brandId,
      changed: status === "created" || status === "updated" ? ["brand"] : [],
      waiting: status === "waiting" ? ["brand"] : [],
    });
  }
  if (errors.length > 0) return err({ code: "invalid", errors: inLineOrder(errors) });
  const { corrections, correctionChanges } = written;
  // Legal names stay out of the audit trail: a sole trader's is a person's.
  return ok({
    value: { lines },
    change: corrections.length + correctionChanges.length === 0 ? null : written,
    audit: {
      action: "recognition.import_legal_names",
      target: "corrections",
      details: { written: corrections.length, waiting: correctionChanges.length },
    },
  });
}
