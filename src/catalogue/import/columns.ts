// The columns that a CSV of brands or of offers may have, and where each puts its text.
import type { CsvColumns } from "./import-file.ts";

type Setter = CsvColumns[string];

const asText = (name: string): Setter => (text, item) => void (item[name] = text);
const asList = (name: string): Setter => (text, item) =>
  void (item[name] = text.split("|").map((part) => part.trim()).filter((part) => part !== ""));

/** Several aliases share one cell with `|` between them. */
export const BRAND_COLUMNS: CsvColumns = {
  id: asText("id"),
  name: asText("name"),
  category: asText("category"),
  aliases: asList("aliases"),
  excluded: asList("excluded"),
  website: asText("website"),
  logo_url: asText("logo_url"),
  wikidata: asText("wikidata"),
};

export const LEGAL_NAME_COLUMNS: CsvColumns = {
  legal_name: asText("legal_name"),
  brand: asText("brand"),
};

function child(item: Record<string, unknown>, name: string): Record<string, unknown> {
  const existing = item[name];
  if (typeof existing === "object" && existing !== null) return existing as Record<string, unknown>;
  const made: Record<string, unknown> = {};
  item[name] = made;
  return made;
}

// Not a number stays text, which the schema then refuses at that column.
const numberOf = (text: string): unknown => (/^-?\d{1,15}$/.test(text) ? Number(text) : text);
const inTitle = (name: string): Setter => (text, item) => void (child(item, "title")[name] = text);
const inDescription = (name: string): Setter => (text, item) =>
  void (child(item, "description")[name] = text);
const termText = (name: string): Setter => (text, item) =>
  void (child(item, "version")[name] = text);
const termNumber = (name: string): Setter => (text, item) =>
  void (child(item, "version")[name] = numberOf(text));
const termFlag = (name: string): Setter => (text, item) =>
  void (child(item, "version")[name] = text === "true" ? true : text === "false" ? false : text);

/** `0:200|5000:400`: 200 basis points from 0 cents on, 400 from 5000. */
const termTiers: Setter = (text, item) => {
  child(item, "version")["tiers"] = text.split("|").map((part) => {
    const [from = "", rate = ""] = part.split(":");
    return { from_cents: numberOf(from.trim()), rate_bp: numberOf(rate.trim()) };
  });
};

const TERM_NUMBERS = [
  "rate_bp",
  "points",
  "min_cents",
  "max_cents",
  "cap_points_per_purchase",
  "cap_points_per_user",
  "cap_purchases_per_user",
  "activation_days",
  "confirmation_days",
  "budget_points",
  "priority",
] as const;
const TERM_TEXTS = ["kind", "period", "activation", "channel", "starts_at", "ends_at"] as const;

export const OFFER_COLUMNS: CsvColumns = {
  brand_id: asText("brand_id"),
  brand: asText("brand"),
  title_fr: inTitle("fr"),
  title_en: inTitle("en"),
  description_fr: inDescription("fr"),
  description_en: inDescription("en"),
  image_url: asText("image_url"),
  tiers: termTiers,
  first_purchase_only: termFlag("first_purchase_only"),
  ...Object.fromEntries(TERM_NUMBERS.map((name) => [name, termNumber(name)])),
  ...Object.fromEntries(TERM_TEXTS.map((name) => [name, termText(name)])),
};
