// The demo catalogue, entered as operators would: brands and offers through the import routes, what
// is generous approved by a second person. What is already there stays as it is, so that a restart
// does not undo what somebody changed by hand.

export type SeedBrand = {
  readonly id?: string;
  readonly name: string;
  readonly category: string;
  readonly aliases: readonly string[];
};

export type SeedCaller = (
  method: "GET" | "POST",
  path: string,
  options: { readonly as: "first" | "second"; readonly lines?: string },
) => Promise<{ readonly status: number; readonly body: unknown }>;

const common = {
  activation: "automatic",
  channel: "any",
  starts_at: "2026-01-01",
  ends_at: null,
  confirmation_days: 30,
  priority: 100,
};

/** One offer of every kind that API.md knows. */
export const DEMO_OFFERS = [
  {
    brand: "Monoprix",
    title: { fr: "3 % remboursés chez Monoprix", en: "3% back at Monoprix" },
    version: { ...common, kind: "percent", rate_bp: 300 },
  },
  {
    brand: "Fnac",
    title: { fr: "200 points dès 20 € à la Fnac", en: "200 points from €20 at Fnac" },
    version: {
      ...common,
      kind: "fixed",
      points: 200,
      min_cents: 2000,
      cap_purchases_per_user: 1,
      period: "month",
    },
  },
  {
    brand: "Carrefour",
    title: { fr: "Jusqu'à 4 % chez Carrefour", en: "Up to 4% at Carrefour" },
    version: {
      ...common,
      kind: "tiered",
      tiers: [{ from_cents: 0, rate_bp: 100 }, { from_cents: 5000, rate_bp: 200 }, {
        from_cents: 10_000,
        rate_bp: 400,
      }],
      cap_points_per_purchase: 1000,
    },
  },
  {
    brand: "Decathlon",
    title: { fr: "5 points par euro chez Decathlon", en: "5 points per euro at Decathlon" },
    version: {
      ...common,
      kind: "points_per_euro",
      points: 5,
      activation: "required",
      activation_days: 14,
    },
  },
  {
    brand: "Picard",
    title: { fr: "2 % chez Picard", en: "2% at Picard" },
    version: {
      ...common,
      kind: "percent",
      rate_bp: 200,
      cap_points_per_user: 500,
      period: "month",
    },
  },
  {
    brand: "SNCF",
    title: { fr: "1 % sur vos trajets SNCF", en: "1% on your SNCF journeys" },
    version: { ...common, kind: "percent", rate_bp: 100, confirmation_days: 60 },
  },
  {
    brand: "Zalando",
    title: { fr: "6 % en ligne chez Zalando", en: "6% online at Zalando" },
    version: { ...common, kind: "percent", rate_bp: 600, channel: "online" },
  },
  {
    brand: "Nocibé",
    title: {
      fr: "20 % sur votre premier achat chez Nocibé",
      en: "20% on your first purchase at Nocibé",
    },
    version: {
      ...common,
      kind: "percent",
      rate_bp: 2000,
      first_purchase_only: true,
      cap_points_per_purchase: 1500,
    },
  },
  {
    brand: "Starbucks",
    title: { fr: "50 points par visite chez Starbucks", en: "50 points per visit at Starbucks" },
    version: {
      ...common,
      kind: "fixed",
      points: 50,
      min_cents: 500,
      cap_purchases_per_user: 1,
      period: "day",
    },
  },
] as const;

type Page<T> = { readonly data: readonly T[]; readonly next_cursor: string | null };

async function readAll<T>(call: SeedCaller, path: string): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const { status, body } = await call(
      "GET",
      `${path}${path.includes("?") ? "&" : "?"}limit=100${
        cursor === null ? "" : `&cursor=${cursor}`
      }`,
      { as: "first" },
    );
    if (status !== 200) {
      throw new Error(`seed: GET ${path} answered ${status}: ${JSON.stringify(body)}`);
    }
    const page = body as Page<T>;
    items.push(...page.data);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return items;
}

async function importMissing(
  call: SeedCaller,
  path: string,
  missing: readonly unknown[],
): Promise<void> {
  if (missing.length === 0) return;
  const { status, body } = await call("POST", path, {
    as: "first",
    lines: missing.map((item) => JSON.stringify(item)).join("\n"),
  });
  if (status !== 200) throw new Error(`seed: ${path} answered ${status}: ${JSON.stringify(body)}`);
}

/**
 * Enters what is missing of the demo catalogue. Returns how many brands and offers there are then.
 */
export async function seedCatalogue(
  call: SeedCaller,
  brands: readonly SeedBrand[],
): Promise<{ readonly brands: number; readonly offers: number }> {
  const known = new Set(
    (await readAll<{ name: string }>(call, "/admin/v1/brands")).map((brand) => brand.name),
  );
  await importMissing(
    call,
    "/admin/v1/brands/import",
    brands.filter((brand) => !known.has(brand.name)),
  );
  const titles = new Set(
    (await readAll<{ title: { fr: string } }>(call, "/admin/v1/offers")).map((offer) =>
      offer.title.fr
    ),
  );
  const names = new Set(brands.map((brand) => brand.name));
  await importMissing(
    call,
    "/admin/v1/offers/import",
    DEMO_OFFERS.filter((offer) => names.has(offer.brand) && !titles.has(offer.title.fr)),
  );
  const waiting = await readAll<
    { id: string; title: { fr: string }; versions: { number: number; state: string }[] }
  >(call, "/admin/v1/offers?state=waiting");
  for (
    const offer of waiting.filter((item) =>
      DEMO_OFFERS.some((demo) => demo.title.fr === item.title.fr)
    )
  ) {
    // Only what this seed made: another version that waits is an operator's to look at.
    if (offer.versions.length !== 1) continue;
    const { status, body } = await call(
      "POST",
      `/admin/v1/offers/${offer.id}/versions/1/approval`,
      { as: "second" },
    );
    if (status !== 200) {
      throw new Error(`seed: approval answered ${status}: ${JSON.stringify(body)}`);
    }
  }
  const [brandsNow, offersNow] = await Promise.all([
    readAll(call, "/admin/v1/brands"),
    readAll(call, "/admin/v1/offers"),
  ]);
  return { brands: brandsNow.length, offers: offersNow.length };
}
