// Whether this isolate may be given traffic. Every check that fails is named by a code; nothing
// else is shown to the outside.
import type { Result } from "../kernel/result.ts";
import { DAY_MS } from "../kernel/time.ts";
import type { ProgrammeError } from "./programme.ts";

/**
 * What a server of the operator's own says: where it is hosted is its operator's declaration
 * (`JURISDICTION`), nothing can check it.
 */
export const DECLARED_EU = "eu-declared";

/** Regions that Cloudflare names for databases inside the EU jurisdiction, and the declaration. */
const EU_REGIONS: ReadonlySet<string> = new Set(["WEUR", "EEUR", DECLARED_EU]);

export type ReadinessChecks = {
  /** Throws when the database does not answer. */
  readonly database: () => Promise<{ readonly region: string | null }>;
  /** True when a ledger object can be reached; may throw. */
  readonly ledger: () => Promise<boolean>;
  readonly programme: () => Promise<Result<null, ProgrammeError>>;
  /** False when the aggregator has never answered; may throw. */
  readonly aggregator: () => Promise<boolean>;
  /** False when rows without seals have been accepted for too long. */
  readonly seals: () => boolean;
};

export type ReadinessFailure =
  | "database_unavailable"
  | "database_outside_eu"
  | "ledger_unavailable"
  | "programme_rate_changed"
  | "aggregator_unanswered"
  | "row_seals_not_required";

type Readiness = {
  readonly region: string | null;
  readonly failures: readonly ReadinessFailure[];
};

async function databaseCheck(checks: ReadinessChecks, euRequired: boolean): Promise<Readiness> {
  try {
    const { region } = await checks.database();
    // Fails closed: a database that does not say where it is does not count as being in the EU.
    const outside = euRequired && (region === null || !EU_REGIONS.has(region));
    return { region, failures: outside ? ["database_outside_eu"] : [] };
  } catch {
    return { region: null, failures: ["database_unavailable"] };
  }
}

async function ledgerCheck(checks: ReadinessChecks): Promise<readonly ReadinessFailure[]> {
  try {
    return (await checks.ledger()) ? [] : ["ledger_unavailable"];
  } catch {
    return ["ledger_unavailable"];
  }
}

async function programmeCheck(checks: ReadinessChecks): Promise<readonly ReadinessFailure[]> {
  try {
    const programme = await checks.programme();
    return programme.ok ? [] : [programme.error.code];
  } catch {
    // The database check names this one.
    return [];
  }
}

async function aggregatorCheck(checks: ReadinessChecks): Promise<readonly ReadinessFailure[]> {
  try {
    return (await checks.aggregator()) ? [] : ["aggregator_unanswered"];
  } catch {
    // The database check names this one.
    return [];
  }
}

/** How long rows without seals may be accepted after the deployment that began to seal. */
const UNSEALED_FOR_MS = 7 * DAY_MS;

/** False a week after sealing began, until the setting requires seals. */
export function sealsReady(unsealedBeforeMs: number | null, nowMs: number): boolean {
  return unsealedBeforeMs === null || nowMs <= unsealedBeforeMs + UNSEALED_FOR_MS;
}

/**
 * Runs every check at once. `isProduction`: the database must say that it is served from the EU, and
 * seals must be required by now.
 */
export async function readiness(
  checks: ReadinessChecks,
  isProduction: boolean,
): Promise<Readiness> {
  const [database, ...others] = await Promise.all([
    databaseCheck(checks, isProduction),
    ledgerCheck(checks),
    programmeCheck(checks),
    aggregatorCheck(checks),
  ]);
  const seals = isProduction && !checks.seals() ? ["row_seals_not_required" as const] : [];
  return { region: database.region, failures: [...database.failures, ...others.flat(), ...seals] };
}
