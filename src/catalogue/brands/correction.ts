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
import { hasCurrentOrFutureOffer, nameKey } from "../catalogue.ts";
import type { Catalogue, CorrectionChange, CorrectionRecord } from "../catalogue.ts";
import type { Act, Decision, ImportLine } from "../decision.ts";
import { fieldError, lineError } from "../errors.ts";
import type { CatalogueError, CatalogueFieldCode } from "../errors.ts";
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

/** What is said of a merchant text now, and what waits for a second person; not both null. */
export type CorrectionOutcome = {
  readonly correction: CorrectionRecord | null;
  readonly waiting: CorrectionChange | null;
};

function recordOf(
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
 * Says that a label is a brand's, or none's, from now on. For a brand that an offer pays for it waits
 * for a second person; the same request of another person is that approval. Whatever is said later
 * of the same merchant replaces what waits.
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

/** What a line of an import comes to: for a brand that an offer pays for it waits. */
function correctionOf(
  catalogue: Catalogue,
  { merchant, brandId }: { readonly merchant: string; readonly brandId: BrandId },
  act: Act,
): Pick<ImportLine, "status" | "changed" | "waiting"> {
  const existing = catalogue.corrections.get(merchant);
  if (existing?.brandId === brandId) return { status: "unchanged", changed: [], waiting: [] };
  if (hasCurrentOrFutureOffer(catalogue, brandId, act.nowMs)) {
    return { status: "waiting", changed: [], waiting: ["brand"] };
  }
  const status = existing === undefined ? "created" : "updated";
  return { status, changed: ["brand"], waiting: [] };
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
  const written: CorrectionRecord[] = [];
  const waiting: CorrectionChange[] = [];
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
    lines.push({
      line: at.line,
      id: brandId,
      ...correctionOf(catalogue, { merchant, brandId }, act),
    });
    const { status } = lines.at(-1) ?? {};
    if (status === "unchanged") continue;
    const existing = catalogue.corrections.get(merchant);
    if (status !== "waiting") {
      written.push(recordOf({ merchant, brandId, createdBy: act.operator }, existing, act.nowMs));
    } else if (catalogue.waitingCorrections.get(merchant)?.brandId !== brandId) {
      waiting.push(newChange(merchant, brandId, act));
    }
  }
  if (errors.length > 0) return err({ code: "invalid", errors: inLineOrder(errors) });
  // Legal names stay out of the audit trail: a sole trader's is a person's.
  return ok({
    value: { lines },
    change: written.length === 0 && waiting.length === 0 ? null : {
      ...(written.length === 0 ? {} : { corrections: written }),
      ...(waiting.length === 0 ? {} : { correctionChanges: waiting }),
    },
    audit: {
      action: "recognition.import_legal_names",
      target: "corrections",
      details: { written: written.length, waiting: waiting.length, lines: lines.length },
    },
  });
}
