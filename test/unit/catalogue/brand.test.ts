// The rules of brands as a function of the catalogue, and what readiness makes of its checks.
import { describe, expect, it } from "vitest";
import {
  arrangeCatalogue,
  hasCurrentOrFutureOffer,
  inForce,
  nameKey,
} from "../../../src/catalogue/catalogue.ts";
import type {
  BrandRecord,
  Catalogue,
  OfferRecord,
  VersionRecord,
} from "../../../src/catalogue/catalogue.ts";
import { approveAliasChange, editBrand } from "../../../src/catalogue/brands/brand.ts";
import type { Act } from "../../../src/catalogue/decision.ts";
import { correct } from "../../../src/catalogue/brands/correction.ts";
import { checkOfferVersion } from "../../../src/catalogue/terms/check-version.ts";
import type { BrandId, OfferId } from "../../../src/kernel/ids.ts";
import { newId } from "../../../src/kernel/ids.ts";
import { systemRandomBytes } from "../../../src/kernel/random.ts";
import type { Recogniser } from "../../../src/recognition/ports.ts";
import { readiness } from "../../../src/operations/readiness.ts";

const BRAND: BrandId = "brd_0192f0c4-0000-7000-8000-000000000001";
const OFFER: OfferId = "off_0192f0c4-0000-7000-8000-000000000002";
const NOW = Date.UTC(2026, 10, 20);
const DAY = 86_400_000;
const brand: BrandRecord = {
  id: BRAND,
  name: "Café",
  nameKey: "cafe",
  category: "x",
  aliases: ["Café"],
  excluded: [],
  website: null,
  logoUrl: null,
  wikidata: null,
  archivedAtMs: null,
  requestKey: null,
  createdAtMs: 0,
  updatedAtMs: 0,
};
const act = (operator: string, nowMs = NOW): Act => ({
  operator,
  listedPerson: operator !== "unlisted",
  nowMs,
  requestKey: null,
  newId: (prefix) => newId(prefix, nowMs, systemRandomBytes),
});

function version(over: Partial<VersionRecord> & { endsAt?: string } = {}): VersionRecord {
  const terms = checkOfferVersion({
    kind: "percent",
    rate_bp: 300,
    activation: "automatic",
    channel: "any",
    starts_at: "2026-11-19T00:00:00Z",
    ends_at: over.endsAt ?? null,
    confirmation_days: 30,
    priority: 1,
  });
  if (!terms.ok) throw new Error("bad terms");
  const { endsAt: _unused, ...rest } = over;
  return {
    offerId: OFFER,
    number: 1,
    terms: terms.value,
    secondPerson: false,
    state: "approved",
    requestKey: null,
    createdBy: "alice",
    createdAtMs: 0,
    approvedBy: null,
    approvedAtMs: 1,
    ...rest,
  };
}

function bookOf(versions: readonly VersionRecord[], previous: Catalogue | null = null): Catalogue {
  const offer: OfferRecord = {
    id: OFFER,
    brandId: BRAND,
    titleFr: "a",
    titleEn: "a",
    descriptionFr: null,
    descriptionEn: null,
    imageUrl: null,
    updatedAtMs: null,
    requestKey: null,
    createdBy: "alice",
    createdAtMs: 0,
  };
  return arrangeCatalogue({
    version: 2,
    paused: false,
    brandsVersion: 1,
    brands: previous === null ? [brand] : null,
    corrections: previous === null ? [] : null,
    offers: versions.length === 0 ? [] : [offer],
    versions,
    stops: [],
    aliasChanges: [],
    correctionChanges: [],
  }, previous);
}

describe("nameKey", () => {
  it.each([["Île  Bleue ", "ILE BLEUE"], ["Okaïdi", "okaidi"], ["L’Œuvre", "l’œuvre"], [
    "ＦＮＡＣ",
    "fnac",
  ]])("%j and %j look the same", (a, b) => {
    expect(nameKey(a)).toBe(nameKey(b));
  });
});

describe("the catalogue", () => {
  it("has a version in force from its start until just before its end", () => {
    const offer = bookOf([version({ endsAt: "2026-11-21T00:00:00Z" })]).offers.get(OFFER);
    if (offer === undefined) throw new Error("no offer");
    expect(
      [NOW - DAY - 1, NOW - DAY, NOW + DAY - 1, NOW + DAY].map((at) => inForce(offer, at) !== null),
    ).toEqual([false, true, true, false]);
  });

  it("counts offers in force and to come as open, not those that wait or are over", () => {
    expect(hasCurrentOrFutureOffer(bookOf([version()]), BRAND, 0)).toBe(true);
    expect(
      hasCurrentOrFutureOffer(
        bookOf([version({ endsAt: "2026-11-21T00:00:00Z" })]),
        BRAND,
        NOW + DAY,
      ),
    ).toBe(false);
    expect(
      hasCurrentOrFutureOffer(
        bookOf([version({ state: "waiting", approvedAtMs: null })]),
        BRAND,
        NOW,
      ),
    ).toBe(false);
    expect(hasCurrentOrFutureOffer(bookOf([]), BRAND, NOW)).toBe(false);
  });

  it("takes brands from the one before when they were not read again, and refuses to go without", () => {
    const first = bookOf([]);
    expect(bookOf([version()], first).brands).toBe(first.brands);
    expect(() =>
      arrangeCatalogue({
        version: 1,
        paused: false,
        brandsVersion: 1,
        brands: null,
        corrections: null,
        offers: [],
        versions: [],
        stops: [],
        aliasChanges: [],
        correctionChanges: [],
      }, null)
    ).toThrow("without brands");
  });
});

describe("editBrand", () => {
  it.each([{ name: "Autre" }, { aliases: ["Autre"] }, { excluded: ["Banque"] }])(
    "lets %j wait while an offer is open",
    (edit) => {
      const waiting = editBrand(bookOf([version()]), BRAND, edit, act("alice"));
      expect(waiting.ok && waiting.value.value.status).toBe("waiting");
      expect(waiting.ok && waiting.value.change?.brands).toBeUndefined();
      const direct = editBrand(bookOf([]), BRAND, edit, act("alice"));
      expect(direct.ok && direct.value.change?.aliasChanges).toBeUndefined();
      expect(direct.ok && direct.value.value.status).toBe("updated");
    },
  );

  it("applies at once what does not recognise", () => {
    const edited = editBrand(
      bookOf([version()]),
      BRAND,
      { website: "https://a.example" },
      act("alice"),
    );
    expect(edited.ok && edited.value.value.status).toBe("updated");
  });

  it("approves by somebody else only", () => {
    const catalogue = bookOf([version()]);
    const waiting = editBrand(catalogue, BRAND, { aliases: ["Autre"] }, act("alice"));
    const change = waiting.ok ? waiting.value.change?.aliasChanges?.[0] : undefined;
    if (change === undefined) throw new Error("nothing waits");
    const later: Catalogue = {
      ...catalogue,
      waiting: new Map([[BRAND, change]]),
      aliasChanges: new Map([[change.id, change]]),
    };
    expect(approveAliasChange(later, BRAND, change.id, act("alice"))).toEqual({
      ok: false,
      error: { code: "second_person_required" },
    });
    const approved = approveAliasChange(later, BRAND, change.id, act("bob"));
    expect(approved.ok && approved.value.change).toMatchObject({
      brands: [{ aliases: ["Autre"] }],
      approvedAliasChange: { id: change.id, approvedBy: "bob" },
    });
    expect(approveAliasChange(later, BRAND, "chg_other", act("bob"))).toEqual({
      ok: false,
      error: { code: "not_found" },
    });
  });
});

describe("correct", () => {
  const recogniser = (kind: "card" | "transfer", merchant: string): Recogniser => {
    const explain: Recogniser["explain"] = () => ({
      kind,
      brandId: null,
      matched: null,
      confidence: 0,
      merchant,
      channel: "unknown",
      evidence: [],
    });
    return { recognise: explain, explain, kindOf: () => kind };
  };

  it("keeps the merchant text and neither the label nor, in the audit trail, the merchant", () => {
    const made = correct(bookOf([]), recogniser("card", "ZORN"), {
      label: "CB ZORN 12/11",
      brand_id: BRAND,
    }, act("alice"));
    expect(made.ok && made.value.change?.corrections).toMatchObject([{
      merchant: "ZORN",
      brandId: BRAND,
    }]);
    expect(JSON.stringify(made)).not.toContain("12/11");
    expect(made.ok && JSON.stringify(made.value.audit)).not.toContain("ZORN");
  });

  it.each([["transfer", "ZORN", "label_not_card"], ["card", " ", "merchant_missing"]] as const)(
    "refuses a %s named %j",
    (kind, merchant, code) => {
      const refused = correct(bookOf([]), recogniser(kind, merchant), {
        label: "x",
        brand_id: null,
      }, act("alice"));
      expect(!refused.ok && refused.error.code === "invalid" && refused.error.errors[0]?.code).toBe(
        code,
      );
    },
  );
});

describe("readiness", () => {
  it("does not name the programme's check when only the database is down", async () => {
    const down = async (): Promise<never> => {
      throw new Error("down");
    };
    const seen = await readiness(
      {
        database: down,
        ledger: async () => true,
        programme: down,
        aggregator: down,
        seals: () => true,
      },
      true,
    );
    expect(seen.failures).toEqual(["database_unavailable"]);
  });
});
