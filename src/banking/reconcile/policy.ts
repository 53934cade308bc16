// What may pass the minimiser.
import type { CatalogueSnapshot } from "../../catalogue/ports.ts";
import type { AccountWindow, RowPolicy } from "../ports.ts";
import type { BankingDeps } from "./deps.ts";

/** The minimiser's policy for these accounts. */
export function policyOf(
  deps: BankingDeps,
  { recogniser }: CatalogueSnapshot,
  accounts: ReadonlyMap<string, AccountWindow>,
): RowPolicy {
  return {
    nowMs: deps.clock.nowMs(),
    accounts,
    kindOf: (label, hint) => recogniser.kindOf(label, hint),
    namesBrand: (label) => recogniser.recognise(label, "refund").brandId !== null,
    maskLabel: deps.maskLabel,
  };
}
