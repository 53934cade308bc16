// What a ledger's alarm is given of other domains, on every platform: the catalogue's offers, the
// notices' sender and the way into the statistics sample.
import { arrangeCatalogue } from "../catalogue/catalogue.ts";
import { termsAround } from "../catalogue/ports.ts";
import { catalogueStore } from "../catalogue/store.ts";
import type { Config } from "../config.ts";
import type { SqlDatabase } from "../db/d1.ts";
import { openDatabase } from "../db/database.ts";
import { rowSeals } from "../db/row-seals.ts";
import { contactBook } from "../identity/service/contact.ts";
import { httpMailer } from "../identity/mailer.ts";
import { identityStore } from "../identity/store/index.ts";
import { sendNotice } from "../insights/notices.ts";
import { sampleStore } from "../insights/sample-store.ts";
import { goneIds, sampleRows } from "../insights/sample.ts";
import type { BrandId, UserId } from "../kernel/ids.ts";
import type { Log } from "../kernel/log.ts";
import type { RandomBytes } from "../kernel/random.ts";
import type { Clock } from "../kernel/time.ts";
import type { LedgerHelpers } from "../ledger/object/alarm.ts";
import type { OfferTerms } from "../ledger/ports.ts";
import { haltsStore } from "../operations/halts/store.ts";
import { haltMemory } from "./halt-memory.ts";

type LedgerHelperParts = {
  readonly database: SqlDatabase;
  readonly config: Config;
  readonly random: RandomBytes;
  readonly clock: Clock;
  readonly monotonicMs: () => number;
  readonly fetch: typeof fetch;
  readonly log: Log;
};

export function ledgerHelpers(parts: LedgerHelperParts): LedgerHelpers {
  const { config, random, log } = parts;
  const db = openDatabase(parts.database);
  const seals = rowSeals({
    keyring: config.keyrings.index,
    unsealedBeforeMs: config.unsealedBeforeMs,
    log,
  });
  const sample = sampleStore(db);
  const notices = {
    contacts: contactBook({
      store: identityStore(db, random, seals),
      encryption: config.keyrings.encryption,
      random,
      log,
    }),
    mailer: httpMailer({ ...config.email, fetch: parts.fetch, log }),
    pointsPerEuro: config.programme.pointsPerEuro,
  };
  const catalogue = catalogueStore(db, random, seals);
  return {
    halts: haltMemory({
      store: haltsStore(db, random, seals),
      clock: parts.clock,
      monotonicMs: parts.monotonicMs,
    }),
    offersOn: async (covers) => {
      // Seldom asked, so nothing is kept: what lies in memory here may be older than an offer's
      // end.
      const { offersByBrand, paused } = arrangeCatalogue(await catalogue.load(null), null);
      const termsFor = (brandId: BrandId): readonly OfferTerms[] =>
        (offersByBrand.get(brandId) ?? []).flatMap((offer) => offer.terms);
      return {
        covers,
        offers: covers.flatMap((cover) => termsAround({ termsFor }, cover)),
        programme: config.programme,
        paused,
      };
    },
    sendNotice: (userId, task) => sendNotice(notices, userId as UserId, task),
    offerToSample: (userId, items) => {
      const [index, user] = [config.keyrings.index, userId as UserId];
      return sample.add(user, sampleRows(index, user, items), goneIds(index, user, items));
    },
  };
}
