// The tables whose rows carry a seal, and what each seal covers: the columns that by themselves give
// somebody an identity or points. A new table is one line here, a column `seal` in its migration,
// `seals.of` in its writes and `seals.holds` in its reads; `null` where no row of it was ever
// without a seal.
import {
  aliasChanges,
  brands,
  correctionChanges,
  offers,
  offerStops,
  offerVersions,
  recognitionCorrections,
} from "./catalogue-tables.ts";
import { ageReviews } from "./age-review-tables.ts";
import { aggregatorLinks, bankAccounts, bankConnections } from "./banking-tables.ts";
import { halts } from "./halt-tables.ts";
import {
  consents,
  emailChanges,
  identityLinks,
  passkeys,
  sessions,
  users,
} from "./identity-tables.ts";
import { reviews } from "./reviews-tables.ts";
import { sealed } from "./row-seals.ts";

export const SEALED_USERS = sealed(users, "createdAtMs", [
  "id",
  "emailIndex",
  // An address of before must not come back.
  "emailCipher",
  "dataKey",
  "createdAtMs",
]);
export const SEALED_SESSIONS = sealed(sessions, "createdAtMs", [
  "id",
  "userId",
  "authTimeS",
  "amr",
  "createdAtMs",
]);
export const SEALED_CONSENTS = sealed(
  consents,
  "atMs",
  ["id", "userId", "purpose", "sequence", "granted", "textVersion", "atMs"],
  { key: ["userId", "purpose", "sequence"] },
);
export const SEALED_IDENTITY_LINKS = sealed(
  identityLinks,
  "createdAtMs",
  ["linkIndex", "userId", "createdAtMs"],
  { key: ["linkIndex"] },
);

export const SEALED_PASSKEYS = sealed(passkeys, null, [
  "id",
  "userId",
  "credentialId",
  "publicKey",
  "createdAtMs",
]);

/** With the address of before: undoing a change gives it back. */
export const SEALED_EMAIL_CHANGES = sealed(emailChanges, null, [
  "id",
  "userId",
  "formerIndex",
  "formerCipher",
  "changedAtMs",
  "undoUntilMs",
]);

export const SEALED_LINKS = sealed(aggregatorLinks, "createdAtMs", [
  "id",
  "userId",
  "aggregator",
  "remoteUserId",
  "createdAtMs",
]);
export const SEALED_CONNECTIONS = sealed(bankConnections, "createdAtMs", [
  "id",
  "userId",
  "linkId",
  "aggregator",
  "remoteConnectionId",
  "createdAtMs",
]);
/** With what says which bank account it is: one account must not earn as two. */
export const SEALED_ACCOUNTS = sealed(bankAccounts, "createdAtMs", [
  "id",
  "userId",
  "aggregator",
  "remoteAccountId",
  "fingerprint",
  "strength",
  "ownIban",
  "nameTag",
  "parentRemoteAccountId",
  "createdAtMs",
]);

export const SEALED_BRANDS = sealed(brands, "createdAtMs", [
  "id",
  "name",
  "category",
  "aliases",
  "excluded",
  "wikidata",
  "archivedAtMs",
  "createdAtMs",
]);
/** With who asked: a second person must be another one. */
export const SEALED_ALIAS_CHANGES = sealed(aliasChanges, "createdAtMs", [
  "id",
  "brandId",
  "name",
  "aliases",
  "excluded",
  "createdBy",
  "createdAtMs",
]);
export const SEALED_OFFERS = sealed(offers, "createdAtMs", [
  "id",
  "brandId",
  "createdBy",
  "createdAtMs",
]);
export const SEALED_VERSIONS = sealed(offerVersions, "createdAtMs", [
  "offerId",
  "number",
  "terms",
  "secondPerson",
  "state",
  "createdBy",
  "createdAtMs",
  "approvedBy",
  "approvedAtMs",
], { key: ["offerId", "number"], json: ["terms"] });
export const SEALED_STOPS = sealed(offerStops, "createdAtMs", [
  "offerId",
  "kind",
  "state",
  "createdBy",
  "createdAtMs",
  "approvedBy",
  "stopsAtMs",
], { key: ["offerId", "kind"] });
export const SEALED_CORRECTIONS = sealed(
  recognitionCorrections,
  "createdAtMs",
  ["merchant", "brandId", "createdBy", "createdAtMs", "updatedAtMs"],
  { key: ["merchant"] },
);
export const SEALED_CORRECTION_CHANGES = sealed(correctionChanges, "createdAtMs", [
  "id",
  "merchant",
  "brandId",
  "createdBy",
  "createdAtMs",
]);

export const SEALED_HALTS = sealed(halts, "begunAtMs", [
  "id",
  "what",
  "begunBy",
  "begunAtMs",
  "endAskedBy",
  "endAskedAtMs",
  "endedBy",
  "endedAtMs",
]);
/** With who proposed what: a second person must be another one. Alarms open rows without a seal. */
export const SEALED_REVIEWS = sealed(reviews, "openedAtMs", [
  "purchaseId",
  "userId",
  "openedAtMs",
  "decision",
  "decidedBy",
  "decidedAtMs",
  "purchasedOn",
  "proposedBy",
  "proposedAtMs",
  "proposedPoints",
], { key: ["purchaseId"], blankWithout: ["decision", "proposedBy"] });
export const SEALED_AGE_REVIEWS = sealed(ageReviews, "openedAtMs", [
  "id",
  "userId",
  "openedAtMs",
  "decision",
  "decidedBy",
  "decidedAtMs",
], { blankWithout: ["decision"] });

/** All of them: what back-fills and renews seals goes through this list. */
export const SEALED_TABLES = [
  SEALED_USERS,
  SEALED_SESSIONS,
  SEALED_CONSENTS,
  SEALED_IDENTITY_LINKS,
  SEALED_PASSKEYS,
  SEALED_EMAIL_CHANGES,
  SEALED_LINKS,
  SEALED_CONNECTIONS,
  SEALED_ACCOUNTS,
  SEALED_BRANDS,
  SEALED_ALIAS_CHANGES,
  SEALED_OFFERS,
  SEALED_VERSIONS,
  SEALED_STOPS,
  SEALED_CORRECTIONS,
  SEALED_CORRECTION_CHANGES,
  SEALED_HALTS,
  SEALED_REVIEWS,
  SEALED_AGE_REVIEWS,
] as const;
