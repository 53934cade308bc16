// What the parts of the banking service share. Everything that a test or another platform may want
// to replace is passed in.
import type { CataloguePort } from "../../catalogue/ports.ts";
import type { IdentityPort } from "../../identity/ports.ts";
import type { Keyring } from "../../kernel/keyring.ts";
import type { Log } from "../../kernel/log.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import type { Clock } from "../../kernel/time.ts";
import type { LedgerPort, Programme } from "../../ledger/ports.ts";
import type { HaltsPort } from "../../operations/ports.ts";
import type { Aggregator, AggregatorName } from "../ports.ts";
import type { BankingStore } from "../store/index.ts";

export type BankingDeps = {
  readonly store: BankingStore;
  /** By name; the first is used where the client does not choose. */
  readonly aggregators: readonly Aggregator[];
  readonly identity: IdentityPort;
  readonly catalogue: CataloguePort;
  readonly ledger: LedgerPort;
  readonly halts: HaltsPort;
  /** Recognition's `maskLabel`. */
  readonly maskLabel: (label: string) => string;
  readonly keyrings: { readonly encryption: Keyring; readonly index: Keyring };
  readonly programme: Programme;
  readonly redirectUris: readonly string[];
  readonly clock: Clock;
  readonly sleep: (ms: number) => Promise<void>;
  readonly random: RandomBytes;
  readonly log: Log;
};

/** The adapter of that name, or null when this deployment has none. */
export function aggregatorOf(deps: BankingDeps, name: AggregatorName): Aggregator | null {
  return deps.aggregators.find((aggregator) => aggregator.name === name) ?? null;
}
