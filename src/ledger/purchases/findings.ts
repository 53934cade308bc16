// The part of a verdict that no column holds, and how it is written down. The rules looked at are
// the longest part of a purchase's row, so they are stored without the names of their members; only
// this file knows that form, and the longer one before it.
import type { OfferId } from "../../kernel/ids.ts";
import type { Calculation, ReasonCode, RuleCheck } from "../ports.ts";

export type Findings = {
  readonly reasons: readonly ReasonCode[];
  readonly checks: readonly RuleCheck[];
  readonly calculation: Calculation | null;
  readonly confirmAtMs: number | null;
  readonly expiresAtMs: number | null;
  /** Until when a person may look at a large reward before it counts; absent: none is held. */
  readonly reviewEndsAtMs?: number;
};

type StoredCheck = [
  rule: ReasonCode,
  passed: 0 | 1,
  needed: RuleCheck["needed"],
  found: RuleCheck["found"],
  measure?: RuleCheck["measure"] | null,
  period?: string,
];
/** Checks of one offer version that follow one another. */
type StoredTerms = readonly [
  offerId: OfferId | null,
  version: number | null,
  checks: StoredCheck[],
];
/** `reasons` keeps its name, since `verify` counts them in SQL. */
type Stored = Omit<Findings, "checks"> & { readonly terms: readonly StoredTerms[] };

/**
 * True in SQL for a stored verdict (column `verdict`) in which a cap, an earlier purchase or a
 * budget refused something: both stored forms.
 */
export const MAY_BE_LIMITED = ["cap_reached", "not_first_purchase", "budget_exhausted"].map((
  rule,
) => `instr(verdict, '["${rule}",0') > 0 OR instr(verdict, '"rule":"${rule}"') > 0`).join(" OR ");

/** The text that is stored. */
export function findingsText(
  { reasons, checks, calculation, confirmAtMs, expiresAtMs, reviewEndsAtMs }: Findings,
): string {
  return JSON.stringify(
    {
      reasons,
      terms: storedTerms(checks),
      calculation,
      confirmAtMs,
      expiresAtMs,
      ...(reviewEndsAtMs === undefined ? {} : { reviewEndsAtMs }),
    } satisfies Stored,
  );
}

function storedTerms(checks: readonly RuleCheck[]): StoredTerms[] {
  const terms: StoredTerms[] = [];
  for (const { rule, offerId, version, passed, needed, found, measure, period } of checks) {
    let last = terms.at(-1);
    if (last === undefined || last[0] !== offerId || last[1] !== version) {
      last = [offerId, version, []];
      terms.push(last);
    }
    const check: StoredCheck = [rule, passed ? 1 : 0, needed, found];
    if (measure !== undefined || period !== undefined) check.push(measure ?? null);
    if (period !== undefined) check.push(period);
    last[2].push(check);
  }
  return terms;
}

/** Reads what `findingsText` wrote, or the plain JSON that books wrote before it. */
export function findingsFrom(text: string): Findings {
  const stored = JSON.parse(text) as Findings | Stored;
  if ("checks" in stored) return stored;
  const { reasons, terms, ...rest } = stored;
  const checks = terms.flatMap(([offerId, version, each]) =>
    each.map(([rule, passed, needed, found, measure = null, period]): RuleCheck => ({
      rule,
      offerId,
      version,
      passed: passed === 1,
      needed,
      found,
      ...(measure === null ? {} : { measure }),
      ...(period === undefined ? {} : { period }),
    }))
  );
  return { reasons, checks, ...rest };
}
