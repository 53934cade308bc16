// Offers as an operator makes them and a user reads them, for the tests of the catalogue's routes.
import { ALICE } from "./catalogue-app.ts";
import type { catalogueApp } from "./catalogue-app.ts";

export type Version = {
  number: number;
  state: string;
  second_person: boolean;
  rate_bp: number | null;
  approved_by: string | null;
  in_force: { from: string; to: string | null } | null;
};
export type Offer = { id: string; brand_id: string; version: Version; versions: Version[] };
export type PublicOffer = {
  id: string;
  title: string;
  brand: { id: string; name: string };
  version: { number: number; rate_bp: number };
  activation: { activated_at: string; expires_at: string | null } | null;
  eligible: { value: boolean; reasons: { code: string; message: string }[] } | null;
};
export type List<T> = { data: T[]; next_cursor: string | null };
export type Problem = {
  code: string;
  errors: { pointer: string; code: string; detail: string; line?: number }[];
};

export const title = { fr: "Trois pour cent", en: "Three per cent" };

/**
 * Calls of one application: a new brand, an offer of it, and its offers as the public reads them.
 */
export function offerCalls(edge: ReturnType<typeof catalogueApp>) {
  let serial = 0;
  return {
    makeBrand: async (): Promise<string> => {
      const name = `Boutique ${(serial += 1)}`;
      return (await edge.call<{ id: string }>("POST", "/admin/v1/brands", {
        as: ALICE,
        body: { name, category: "shop", aliases: [name] },
      })).body.id;
    },
    offerOf: (brandId: string, version: object) =>
      edge.call<Offer & Problem>("POST", "/admin/v1/offers", {
        as: ALICE,
        body: { brand_id: brandId, title, version },
      }),
    offersOf: async (brandId: string, headers: Record<string, string> = {}) =>
      (await edge.call<List<PublicOffer>>("GET", `/v1/offers?brand_id=${brandId}`, { headers }))
        .body.data,
  };
}
