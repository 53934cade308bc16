// The EU guard, failing closed. The same name gives another object in each jurisdiction, so a
// forgotten setting would not fail: it would open a second, empty ledger outside the EU. Hence two
// locks, one where the namespace is opened and one in each object.

type GuardedEnv = { readonly [setting: string]: unknown };

/**
 * Throws unless this object lives where the configuration says: production must say `eu`, and then
 * the platform must say so of the object's own id. Locally workerd knows no jurisdiction and the
 * setting is empty.
 */
export function requireJurisdiction(
  env: GuardedEnv,
  id: { readonly jurisdiction?: string | undefined },
): void {
  const wanted = typeof env["JURISDICTION"] === "string" ? env["JURISDICTION"] : "";
  if (env["ENVIRONMENT"] !== "local" && wanted !== "eu") {
    throw new Error("EU guard: JURISDICTION must be eu outside the local system");
  }
  if (wanted !== "" && id.jurisdiction !== wanted) {
    throw new Error("EU guard: this object is not in the configured jurisdiction");
  }
}

/**
 * The namespace restricted to the configured jurisdiction; the plain one only in the local system.
 */
export function inJurisdiction<N extends { readonly jurisdiction: (name: "eu") => N }>(
  namespace: N,
  jurisdiction: "eu" | null,
): N {
  return jurisdiction === null ? namespace : namespace.jurisdiction(jurisdiction);
}
