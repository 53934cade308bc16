// What a refusal means where its title says too little, in English.
import type { TranslationOf } from "./catalogue.ts";
import type { PROBLEM_DETAILS_FR } from "./problem-details.fr.ts";

export const PROBLEM_DETAILS_EN: TranslationOf<typeof PROBLEM_DETAILS_FR> = {
  account_shared: "Another holder already earns with this account",
};
