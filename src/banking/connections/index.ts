// What a linked user has at a bank and what it means: types and pure questions about them.
export { normaliseName } from "./account-identity.ts";
export type { AccountIdentity, StoredIdentity } from "./account-identity.ts";
export { changesOf, isEmpty, renewedConnections, unbroughtConnections } from "./changes.ts";
export type {
  AccountChange,
  Changes,
  ConnectionChange,
  NewAccount,
  NewConnection,
  RenewedConnection,
} from "./changes.ts";
export { nextHolder, sharedRowTag, wasTaken } from "./holders.ts";
export type { Handover, Holder, NextHolder } from "./holders.ts";
export { differs, earningAccounts, generationsOf, UNKNOWN_BANK } from "./linked-user.ts";
export type { Gap, LinkedAccount, LinkedConnection, LinkedUser } from "./linked-user.ts";
export { backoffMs, isFine } from "./status.ts";
export { connectionView } from "./view.ts";
export type { AccountView, ConnectionView } from "./view.ts";
