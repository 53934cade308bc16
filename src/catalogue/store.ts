// The catalogue's tables. A change is plain data that becomes one batch: the version moves on (only
// from the version that the decision was made on), the rows, the audit event. All or nothing, so
// two operators can never overwrite each other.
import { and, eq, ne, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { auditStatement } from "../audit/ports.ts";
import type { AuditEvent } from "../audit/ports.ts";
import {
  aliasChanges,
  brands,
  catalogueState,
  correctionChanges,
  offerBudgets,
  offers,
  offerStops,
  offerVersions,
  recognitionCorrections,
} from "../db/catalogue-tables.ts";
import { halts } from "../db/halt-tables.ts";
import { guarded, isDatabaseFailure } from "../db/database.ts";
import type { Database } from "../db/database.ts";
import type { RowSeals, SealedTable } from "../db/row-seals.ts";
import { obeyedHalt } from "../db/sealed-halts.ts";
import {
  SEALED_ALIAS_CHANGES,
  SEALED_BRANDS,
  SEALED_CORRECTION_CHANGES,
  SEALED_CORRECTIONS,
  SEALED_OFFERS,
  SEALED_STOPS,
  SEALED_VERSIONS,
} from "../db/sealed-tables.ts";
import type { BrandId, Id, OfferId } from "../kernel/ids.ts";
import type { RandomBytes } from "../kernel/random.ts";
import type {
  AliasChange,
  BrandRecord,
  CatalogueRows,
  CorrectionChange,
  CorrectionRecord,
  OfferRecord,
  StopRecord,
  VersionRecord,
} from "./catalogue.ts";
import type { CatalogueChange } from "./decision.ts";
import type { NormalisedVersion } from "./terms/version-input.ts";

type BudgetUse = Omit<typeof offerBudgets.$inferSelect, "offerId" | "updatedAtMs"> & {
  readonly offerId: OfferId;
};

export type CatalogueStore = {
  /** The present version of the catalogue: one read of one row. */
  readonly version: () => Promise<number>;
  /**
   * The whole catalogue in one batch; without brands and corrections when their version is
   * `knownBrandsVersion`.
   */
  readonly load: (knownBrandsVersion: number | null) => Promise<CatalogueRows>;
  /**
   * Writes a change on top of `version`. `stale`: the catalogue has moved on and nothing was
   * written by this call.
   */
  readonly commit: (
    version: number,
    change: CatalogueChange,
    event: AuditEvent,
    nowMs: number,
  ) => Promise<"committed" | "stale">;
  /** What budgets had reserved when they last answered: of these offers, or of all. */
  readonly budgets: (offerIds: readonly OfferId[] | null) => Promise<readonly BudgetUse[]>;
  /** That a share of this budget was alerted. */
  readonly noteBudgetAlert: (
    offerId: OfferId,
    percent: number,
    budgetPoints: number,
  ) => Promise<void>;
  /** The audit event of an act that changed nothing. */
  readonly note: (event: AuditEvent, nowMs: number) => Promise<void>;
};

// D1 takes at most 100 parameters a statement and 2 MB a value, so rows travel as JSON texts below
// this many characters.
const JSON_CHARACTERS_MAX = 400_000;

/** Adds to each row the seal that it is written with. */
function withSeals<Fields, Row extends Fields>(
  seals: RowSeals,
  table: SealedTable<Fields>,
  rows: readonly Row[],
): readonly (Row & { readonly seal: string })[] {
  return rows.map((row) => ({ ...row, seal: seals.of(table, row) }));
}

/** A version's terms as the text that the table holds. */
const asText = (version: VersionRecord) => ({ ...version, terms: JSON.stringify(version.terms) });

function chunks(rows: readonly unknown[]): string[] {
  const texts: string[] = [];
  let parts: string[] = [];
  let length = 0;
  for (const row of rows) {
    const text = JSON.stringify(row);
    if (length + text.length > JSON_CHARACTERS_MAX && parts.length > 0) {
      texts.push(`[${parts.join(",")}]`);
      [parts, length] = [[], 0];
    }
    parts.push(text);
    length += text.length + 1;
  }
  if (parts.length > 0) texts.push(`[${parts.join(",")}]`);
  return texts;
}

type Statement = BatchItem<"sqlite">;

// Columns in the order of the tables in db/catalogue-tables.ts: an insert from a select names every
// column of its table. `WHERE true` keeps SQLite from reading the ON of the upsert as the condition
// of a join.
function brandStatements(
  db: Database,
  seals: RowSeals,
  rows: readonly BrandRecord[],
): Statement[] {
  return chunks(withSeals(seals, SEALED_BRANDS, rows)).map((json) =>
    db.insert(brands).select(sql`
    SELECT value ->> 'id', value ->> 'name', value ->> 'nameKey', value ->> 'category', value -> 'aliases', value -> 'excluded', value ->> 'website',
      value ->> 'logoUrl', value ->> 'wikidata', value ->> 'requestKey', value ->> 'createdAtMs', value ->> 'updatedAtMs',
      value ->> 'archivedAtMs', value ->> 'seal' FROM json_each(${json}) WHERE true`)
      .onConflictDoUpdate({
        target: brands.id,
        set: {
          name: sql`excluded.name`,
          nameKey: sql`excluded.name_key`,
          category: sql`excluded.category`,
          aliases: sql`excluded.aliases`,
          excluded: sql`excluded.excluded`,
          website: sql`excluded.website`,
          logoUrl: sql`excluded.logo_url`,
          wikidata: sql`excluded.wikidata`,
          updatedAtMs: sql`excluded.updated_at_ms`,
          archivedAtMs: sql`excluded.archived_at_ms`,
          seal: sql`excluded.seal`,
        },
      })
  );
}

function aliasChangeStatements(
  db: Database,
  seals: RowSeals,
  rows: readonly AliasChange[],
  nowMs: number,
): Statement[] {
  return chunks(withSeals(seals, SEALED_ALIAS_CHANGES, rows)).flatMap((json) => [
    db.update(aliasChanges).set({ state: "superseded", decidedAtMs: nowMs })
      .where(
        and(
          eq(aliasChanges.state, "waiting"),
          sql`${aliasChanges.brandId} IN (SELECT value ->> 'brandId' FROM json_each(${json}))`,
        ),
      ),
    db.insert(aliasChanges).select(sql`
      SELECT value ->> 'id', value ->> 'brandId', value ->> 'name', value -> 'aliases', value -> 'excluded', 'waiting', value ->> 'createdBy',
        value ->> 'createdAtMs', NULL, NULL, value ->> 'seal' FROM json_each(${json})`),
  ]);
}

function offerStatements(
  db: Database,
  seals: RowSeals,
  rows: readonly OfferRecord[],
): Statement[] {
  return chunks(withSeals(seals, SEALED_OFFERS, rows)).map((json) =>
    db.insert(offers).select(sql`
    SELECT value ->> 'id', value ->> 'brandId', value ->> 'titleFr', value ->> 'titleEn', value ->> 'requestKey', value ->> 'createdBy', value ->> 'createdAtMs',
      value ->> 'descriptionFr', value ->> 'descriptionEn', value ->> 'imageUrl', value ->> 'updatedAtMs', value ->> 'seal' FROM json_each(${json}) WHERE true`)
      .onConflictDoUpdate({
        target: offers.id,
        set: {
          titleFr: sql`excluded.title_fr`,
          titleEn: sql`excluded.title_en`,
          descriptionFr: sql`excluded.description_fr`,
          descriptionEn: sql`excluded.description_en`,
          imageUrl: sql`excluded.image_url`,
          updatedAtMs: sql`excluded.updated_at_ms`,
          seal: sql`excluded.seal`,
        },
      })
  );
}

function versionStatements(
  db: Database,
  seals: RowSeals,
  rows: readonly VersionRecord[],
): Statement[] {
  const sealedRows = rows.map((row) => ({
    ...row,
    seal: seals.of(SEALED_VERSIONS, asText(row)),
  }));
  return chunks(sealedRows).map((json) =>
    db.insert(offerVersions).select(sql`
    SELECT value ->> 'offerId', value ->> 'number', value -> 'terms', value ->> 'secondPerson', value ->> 'state', value ->> 'requestKey',
      value ->> 'createdBy', value ->> 'createdAtMs', value ->> 'approvedBy', value ->> 'approvedAtMs', value ->> 'seal' FROM json_each(${json})`)
  );
}

function stopStatements(
  db: Database,
  seals: RowSeals,
  rows: readonly StopRecord[],
): Statement[] {
  return rows.map((row) => {
    const seal = seals.of(SEALED_STOPS, row);
    return db.insert(offerStops).values({ ...row, seal }).onConflictDoUpdate({
      target: [offerStops.offerId, offerStops.kind],
      set: { state: row.state, approvedBy: row.approvedBy, stopsAtMs: row.stopsAtMs, seal },
    });
  });
}

/** What waits for one of these merchants is overtaken. */
function supersedeCorrections(db: Database, json: string, nowMs: number): Statement {
  return db.update(correctionChanges).set({ state: "superseded", decidedAtMs: nowMs }).where(
    and(
      eq(correctionChanges.state, "waiting"),
      sql`${correctionChanges.merchant} IN (SELECT value ->> 'merchant' FROM json_each(${json}))`,
    ),
  );
}

function correctionStatements(
  db: Database,
  seals: RowSeals,
  rows: readonly CorrectionRecord[],
  nowMs: number,
): Statement[] {
  return chunks(withSeals(seals, SEALED_CORRECTIONS, rows)).flatMap((json) => [
    supersedeCorrections(db, json, nowMs),
    db.insert(recognitionCorrections).select(sql`
    SELECT value ->> 'merchant', value ->> 'brandId', value ->> 'createdBy', value ->> 'createdAtMs', value ->> 'updatedAtMs', value ->> 'seal' FROM json_each(${json}) WHERE true`)
      .onConflictDoUpdate({
        target: recognitionCorrections.merchant,
        set: {
          brandId: sql`excluded.brand_id`,
          createdBy: sql`excluded.created_by`,
          // Sealed, and of a row that must not be used the record does not know it.
          createdAtMs: sql`excluded.created_at_ms`,
          updatedAtMs: sql`excluded.updated_at_ms`,
          seal: sql`excluded.seal`,
        },
      }),
  ]);
}

function correctionChangeStatements(
  db: Database,
  seals: RowSeals,
  rows: readonly CorrectionChange[],
  nowMs: number,
): Statement[] {
  return chunks(withSeals(seals, SEALED_CORRECTION_CHANGES, rows)).flatMap((json) => [
    supersedeCorrections(db, json, nowMs),
    db.insert(correctionChanges).select(sql`
    SELECT value ->> 'id', value ->> 'merchant', value ->> 'brandId', 'waiting', value ->> 'createdBy', value ->> 'createdAtMs', NULL, NULL, value ->> 'seal' FROM json_each(${json})`),
  ]);
}

function approvalStatements(
  db: Database,
  seals: RowSeals,
  change: CatalogueChange,
  nowMs: number,
): Statement[] {
  const statements: Statement[] = [];
  if (change.approvedAliasChange !== undefined) {
    statements.push(
      db.update(aliasChanges).set({
        state: "approved",
        approvedBy: change.approvedAliasChange.approvedBy,
        decidedAtMs: nowMs,
      }).where(eq(aliasChanges.id, change.approvedAliasChange.id)),
    );
  }
  if (change.approvedCorrection !== undefined) {
    const { id, approvedBy } = change.approvedCorrection;
    statements.push(
      db.update(correctionChanges).set({ state: "approved", approvedBy, decidedAtMs: nowMs })
        .where(eq(correctionChanges.id, id)),
    );
  }
  if (change.approvedVersion !== undefined) {
    const { offerId, number, state, approvedBy, approvedAtMs } = change.approvedVersion;
    const seal = seals.of(SEALED_VERSIONS, asText(change.approvedVersion));
    statements.push(
      db.update(offerVersions).set({ state, approvedBy, approvedAtMs, seal }).where(
        and(eq(offerVersions.offerId, offerId), eq(offerVersions.number, number)),
      ),
    );
  }
  return statements;
}

/**
 * Moves the version on, or breaks the batch: a version that is no longer the expected one becomes
 * NULL, which the table refuses.
 */
function advance(db: Database, version: number, change: CatalogueChange): Statement {
  const recognises = change.brands !== undefined || change.corrections !== undefined;
  const next = sql`CASE WHEN ${catalogueState.version} = ${version} THEN ${version + 1} END`;
  return db.update(catalogueState).set({
    version: next,
    ...(recognises ? { brandsVersion: next } : {}),
  }).where(eq(catalogueState.id, 1));
}

async function readVersion(db: Database): Promise<number> {
  const [row] = await db.select({ version: catalogueState.version }).from(catalogueState).where(
    eq(catalogueState.id, 1),
  );
  if (row === undefined) throw new Error("catalogue without a state");
  return row.version;
}

async function loadRows(
  db: Database,
  seals: RowSeals,
  knownBrandsVersion: number | null,
): Promise<CatalogueRows> {
  const known = knownBrandsVersion ?? 0;
  const changed = sql`(SELECT brands_version FROM catalogue_state WHERE id = 1) <> ${known}`;
  const [
    state,
    brandRows,
    correctionRows,
    offerRows,
    versionRows,
    stopRows,
    changeRows,
    correctionChangeRows,
    haltRows,
  ] = await guarded(() =>
    db.batch([
      db.select().from(catalogueState).where(eq(catalogueState.id, 1)),
      db.select().from(brands).where(changed),
      db.select().from(recognitionCorrections).where(changed),
      db.select().from(offers),
      db.select().from(offerVersions),
      db.select().from(offerStops),
      db.select().from(aliasChanges).where(ne(aliasChanges.state, "superseded")),
      db.select().from(correctionChanges).where(ne(correctionChanges.state, "superseded")),
      db.select().from(halts).where(eq(halts.what, "offers")),
    ])
  );
  const [{ version, brandsVersion } = { version: 0, brandsVersion: 0 }] = state;
  const unchanged = brandsVersion === known;
  const good = <Fields, Row extends Fields & { readonly seal: string | null }>(
    table: SealedTable<Fields>,
    rows: readonly Row[],
  ): readonly Row[] => rows.filter((row) => seals.holds(table, row));
  return {
    version,
    paused: haltRows.some((row) => obeyedHalt(seals, row).endedAtMs === null),
    brandsVersion,
    brands: unchanged
      ? null
      : good(SEALED_BRANDS, brandRows).map((row) => ({ ...row, id: row.id as BrandId })),
    corrections: unchanged ? null : good(SEALED_CORRECTIONS, correctionRows).map((row) => ({
      ...row,
      brandId: row.brandId as BrandId | null,
    })),
    offers: good(SEALED_OFFERS, offerRows).map((row) => ({
      ...row,
      id: row.id as OfferId,
      brandId: row.brandId as BrandId,
    })),
    versions: good(SEALED_VERSIONS, versionRows).map((row) => ({
      ...row,
      offerId: row.offerId as OfferId,
      terms: JSON.parse(row.terms) as NormalisedVersion,
    })),
    stops: good(SEALED_STOPS, stopRows).map((row) => ({ ...row, offerId: row.offerId as OfferId })),
    aliasChanges: good(SEALED_ALIAS_CHANGES, changeRows).map((row) => ({
      ...row,
      id: row.id as Id<"chg">,
      brandId: row.brandId as BrandId,
    })),
    correctionChanges: good(SEALED_CORRECTION_CHANGES, correctionChangeRows).map((row) => ({
      ...row,
      id: row.id as Id<"chg">,
      brandId: row.brandId as BrandId,
    })),
  };
}

export function catalogueStore(
  db: Database,
  random: RandomBytes,
  seals: RowSeals,
): CatalogueStore {
  return {
    version: () => readVersion(db),
    load: (knownBrandsVersion) => loadRows(db, seals, knownBrandsVersion),
    async commit(version, change, event, nowMs) {
      const first = advance(db, version, change);
      try {
        // drizzle leaves the platform's own error of a batch as it is: `guarded` strips the values
        // that it quotes.
        await guarded(() =>
          db.batch([
            first,
            ...brandStatements(db, seals, change.brands ?? []),
            ...approvalStatements(db, seals, change, nowMs),
            ...aliasChangeStatements(db, seals, change.aliasChanges ?? [], nowMs),
            ...offerStatements(db, seals, change.offers ?? []),
            ...versionStatements(db, seals, change.versions ?? []),
            ...stopStatements(db, seals, change.stops ?? []),
            ...correctionStatements(db, seals, change.corrections ?? [], nowMs),
            ...correctionChangeStatements(db, seals, change.correctionChanges ?? [], nowMs),
            auditStatement(db, event, nowMs, random),
          ])
        );
        return "committed";
      } catch (error) {
        // Either somebody was faster, or our own commit went through and its answer was lost: the
        // caller decides again on what is there now, where it finds its own rows by their request
        // key.
        if (isDatabaseFailure(error) && (await readVersion(db)) !== version) return "stale";
        throw error;
      }
    },
    async budgets(offerIds) {
      if (offerIds?.length === 0) return [];
      const rows = await db.select().from(offerBudgets).where(
        offerIds === null
          ? undefined
          : sql`${offerBudgets.offerId} IN (SELECT value FROM json_each(${
            JSON.stringify(offerIds)
          }))`,
      );
      return rows.map((row) => ({ ...row, offerId: row.offerId as OfferId }));
    },
    async noteBudgetAlert(offerId, percent, budgetPoints) {
      await db.update(offerBudgets).set({
        alertedPercent: percent,
        alertedBudgetPoints: budgetPoints,
      }).where(eq(offerBudgets.offerId, offerId));
    },
    async note(event, nowMs) {
      await auditStatement(db, event, nowMs, random);
    },
  };
}
