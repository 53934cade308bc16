// What users and operators are answered about bank connections, in English.
import type { TranslationOf } from "./catalogue.ts";
import type { BANKING_FR } from "./banking.fr.ts";

export const BANKING_EN: TranslationOf<typeof BANKING_FR> = {
  account_label: "Account {ordinal}",
  nothing_to_ask: "The aggregator has nothing about it",
  still_failing: "Asked again, but it still fails: {reason}",
};
