// From minimised rows to ledger calls: recognise, encrypt the label under the user's key, add the
// offers that may be in force, send at most 500 rows or 1 MiB at a time. Labels in clear end here.
import { termsAround } from "../../catalogue/ports.ts";
import type { CatalogueSnapshot } from "../../catalogue/ports.ts";
import { keyedIndex } from "../../kernel/keyring.ts";
import type { UserCipher } from "../../kernel/keyring.ts";
import type { BrandId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import type { BankRow, BatchRead, OfferCover, RecordBatch } from "../../ledger/ports.ts";
import { generationsOf, wasTaken } from "../connections/index.ts";
import type { LinkedConnection, LinkedUser } from "../connections/index.ts";
import type { ReadError } from "../errors.ts";
import type { CardRow } from "../ports.ts";
import type { BankingDeps } from "../reconcile/index.ts";
import { splitRows } from "./batches.ts";
import { versionTimeOf } from "./version-time.ts";
import type { Arrival } from "./version-time.ts";

/** Rows as they came. `syncedAtMs` ends a sync and goes with the last call, so does `ends`. */
type Arrived = {
  readonly rows: readonly CardRow[];
  readonly arrival: Arrival;
  readonly syncedAtMs: number | null;
  /** What a read makes of them; absent: a webhook brought them. */
  readonly read?: BatchRead;
};

/** `readByMs`: when the ledger wants the connection to be read; null: no earlier than usual. */
type Recorded = { readonly readByMs: number | null };

/** Records rows of one connection. */
export async function recordRows(
  deps: BankingDeps,
  linkedUser: LinkedUser,
  connection: LinkedConnection,
  cipher: UserCipher,
  catalogue: CatalogueSnapshot,
  { rows, arrival, syncedAtMs, read }: Arrived,
): Promise<Result<Recorded, ReadError>> {
  if (rows.length === 0 && syncedAtMs === null && (read?.complete ?? null) === null) {
    return ok({ readByMs: null });
  }
  const byRemoteId = new Map(connection.accounts.map((account) => [account.remoteId, account]));
  const bankRows: BankRow[] = [];
  for (const row of rows) {
    const account = byRemoteId.get(row.remoteAccountId);
    // The amount of such a row is missing, or its day: it says nothing of another's.
    const taken = account !== undefined && row.review === null &&
      wasTaken(deps.keyrings.index, account, row);
    if (account !== undefined && !taken) {
      bankRows.push(await bankRowOf(deps, account.id, row, arrival, cipher, catalogue));
    }
  }
  const covers = coversOf(bankRows);
  const batches = splitRows(
    bankRows,
    (brandId) =>
      covers.filter((cover) => cover.brandId === brandId).flatMap((cover) =>
        termsAround(catalogue, cover)
      ),
  );
  let readByMs: number | null = null;
  for (const [index, part] of batches.entries()) {
    const brands = new Set(part.map((row) => row.brand?.id));
    const isLast = index === batches.length - 1;
    const batch = {
      connectionId: connection.id,
      ...(read === undefined ? {} : { read: isLast ? read : { ...read, complete: null } }),
      syncedAtMs: isLast ? syncedAtMs : null,
      accounts: generationsOf(linkedUser, connection),
      rows: part,
      programme: deps.programme,
      paused: catalogue.paused,
    };
    const recorded = await recordBatch(
      deps,
      linkedUser.userId,
      batch,
      catalogue,
      covers.filter((cover) => brands.has(cover.brandId)),
    );
    if (!recorded.ok) return recorded;
    const wantedMs = recorded.value.readByMs;
    // An object of the version before does not say.
    if (typeof wantedMs === "number") readByMs = Math.min(wantedMs, readByMs ?? Infinity);
  }
  return ok({ readByMs });
}

/**
 * Tells the ledger that a connection is over, so that its points wait for no read any more. Safe to
 * repeat. False: later.
 */
export async function recordEnd(
  deps: BankingDeps,
  linkedUser: LinkedUser,
  connection: LinkedConnection,
): Promise<boolean> {
  const recorded = await recordAccounts(deps, linkedUser, connection, true);
  // A ledger that refuses, or is erased, must not keep anybody's bank linked.
  return recorded.ok || recorded.error.code !== "ledger_unavailable";
}

/** Tells the ledger what the accounts are now, with no row. Safe to repeat. */
export async function recordAccounts(
  deps: BankingDeps,
  linkedUser: LinkedUser,
  connection: LinkedConnection,
  hasEnded = false,
): Promise<Result<Recorded, ReadError>> {
  const catalogue = await deps.catalogue.snapshot(linkedUser.catalogueVersion);
  return recordBatch(
    deps,
    linkedUser.userId,
    {
      connectionId: connection.id,
      hasEnded,
      syncedAtMs: null,
      accounts: generationsOf(linkedUser, connection),
      rows: [],
      programme: deps.programme,
    },
    catalogue,
    [],
  );
}

// Each round hands over what the last one lacked; rows that a further round would have to judge are
// few and named by then.
const OFFER_ROUNDS_MAX = 5;

/**
 * One ledger call, made again with more offers when a row of an earlier delivery has to be judged
 * by them.
 */
async function recordBatch(
  deps: BankingDeps,
  userId: LinkedUser["userId"],
  batch: Omit<RecordBatch, "offers" | "covers">,
  catalogue: CatalogueSnapshot,
  first: readonly OfferCover[],
): Promise<Result<Recorded, ReadError>> {
  let covers = first;
  for (let round = 1;; round++) {
    const recorded = await deps.ledger.record(userId, {
      ...batch,
      covers,
      offers: covers.flatMap((cover) => termsAround(catalogue, cover)),
    });
    if (recorded.ok) return ok({ readByMs: recorded.value.readByMs });
    if (recorded.error.code !== "offers_needed") return err({ code: recorded.error.code });
    if (round === OFFER_ROUNDS_MAX) return err({ code: "ledger_refused" });
    covers = mergedCovers([...covers, ...recorded.error.needed]);
  }
}

async function bankRowOf(
  deps: BankingDeps,
  accountId: BankRow["accountId"],
  row: CardRow,
  arrival: Arrival,
  cipher: UserCipher,
  catalogue: CatalogueSnapshot,
): Promise<BankRow> {
  const seen = catalogue.recogniser.recognise(row.label, row.hint);
  const brand = seen.brandId === null ? null : catalogue.brand(seen.brandId as BrandId);
  return {
    accountId,
    externalId: row.externalId,
    kind: row.kind,
    amountCents: row.amountCents,
    currency: row.currency,
    original: row.original,
    purchasedOn: row.purchasedOn,
    bookedOn: row.bookedOn,
    ...(row.announcedOn === undefined ? {} : { announcedOn: row.announcedOn }),
    state: row.state,
    ...versionTimeOf(row, arrival),
    review: row.review,
    channel: seen.channel,
    labelCipher: await cipher.encrypt({
      table: "purchases",
      column: "label",
      row: `${accountId}:${row.externalId}`,
    }, row.label),
    labelTag: keyedIndex(deps.keyrings.index, `label|${cipher.userId}`, tagText(row.label)),
    brand: brand === null ? null : { id: brand.id, matched: seen.matched ?? brand.name },
  };
}

/**
 * A label without its dates, digits and doubled blanks: equal for two sightings of one purchase
 * more often than the label is.
 */
function tagText(label: string): string {
  return label.toUpperCase().replace(/[\d\p{P}\p{S}]+/gu, " ").replace(/\s+/g, " ").trim();
}

/** For each brand of these rows, the days from its first to its last. */
function coversOf(rows: readonly BankRow[]): readonly OfferCover[] {
  return mergedCovers(
    rows.flatMap((
      { brand, purchasedOn },
    ) => (brand === null ? [] : [{ brandId: brand.id, from: purchasedOn, to: purchasedOn }])),
  );
}

function mergedCovers(covers: readonly OfferCover[]): readonly OfferCover[] {
  const byBrand = new Map<BrandId, OfferCover>();
  for (const { brandId, from, to } of covers) {
    const known = byBrand.get(brandId);
    byBrand.set(brandId, {
      brandId,
      from: known !== undefined && known.from < from ? known.from : from,
      to: known !== undefined && known.to > to ? known.to : to,
    });
  }
  return [...byBrand.values()];
}
