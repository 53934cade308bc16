// The EU guard of every object, fail closed: the same name gives another object in each jurisdiction, so a forgotten setting would
// open a second, empty ledger outside the EU without anybody noticing.

export type JurisdictionEnv = { readonly ENVIRONMENT: string; readonly JURISDICTION: string };

/** Throws unless the object runs where the configuration says, and in production that must be the EU. */
export function assertJurisdiction(env: JurisdictionEnv, actual: string | undefined): void {
  if (env.ENVIRONMENT === "production" && env.JURISDICTION !== "eu") throw new Error("production objects need JURISDICTION eu");
  if (env.JURISDICTION !== "" && actual !== env.JURISDICTION) throw new Error("object outside its jurisdiction");
}
