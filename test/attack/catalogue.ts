// What an attack needs to be worth anything: a brand with an offer.
import type { World } from "./world.ts";

export const MERCHANT = "ZORGLUB MARCHE";

/** A brand that gives 5 % after 30 days, made by one operator and approved by another. */
export async function offerFivePercent(world: World): Promise<void> {
  const [maker, second] = [
    await world.operator("catalogue", "alice"),
    await world.operator("catalogue", "bob"),
  ];
  const brand = await world.send("POST", "/admin/v1/brands", {
    token: maker,
    body: { name: "Zorglub Marché", category: "shop", aliases: [MERCHANT] },
  });
  const offer = await world.send("POST", "/admin/v1/offers", {
    token: maker,
    body: {
      brand_id: brand.json["id"],
      title: { fr: "Cinq pour cent", en: "Five per cent" },
      version: {
        kind: "percent",
        rate_bp: 500,
        activation: "automatic",
        channel: "any",
        starts_at: "2026-01-01",
        ends_at: null,
        confirmation_days: 30,
        priority: 100,
      },
    },
  });
  if (offer.status !== 201) throw new Error(`an offer answered ${offer.status} ${offer.text}`);
  const version = offer.json["version"] as { state: string; number: number };
  if (version.state === "approved") return;
  const path = `/admin/v1/offers/${String(offer.json["id"])}/versions/${version.number}/approval`;
  const approved = await world.send("POST", path, { token: second });
  if (approved.status !== 200) {
    throw new Error(`the approval answered ${approved.status} ${approved.text}`);
  }
}
