// Operators come through Cloudflare Access. Its token says who somebody is; what they may do is our
// configuration alone.
import type { Config, OperatorRole } from "../config.ts";
import type { OperatorPrincipal } from "../http/context.ts";
import type { OperatorTokens } from "../http/authentication.ts";
import { err, ok } from "../kernel/result.ts";
import type { Clock } from "../kernel/time.ts";
import { lazyRemoteKeys, verifyToken } from "./access-tokens.ts";
import { EMAIL_PATTERN, normaliseEmail } from "./email.ts";

const ALGORITHMS = ["RS256", "ES256"];

type Roles = ReadonlyMap<string, readonly OperatorRole[]>;

/** All that a domain's wildcard gives: it vouches for a mailbox, not for a person. */
const WILDCARD_ROLES: ReadonlySet<OperatorRole> = new Set<OperatorRole>(["support", "catalogue"]);
const NOBODY = { roles: [], listedPerson: false } as const;

/**
 * An address that may have a role. One person gets any number of `+tag` addresses from one mailbox,
 * so none of them has any.
 */
function isOperatorAddress(address: string): boolean {
  return EMAIL_PATTERN.test(address) && !address.includes("+");
}

function personOf(roles: Roles, address: string): OperatorPrincipal {
  const subject = normaliseEmail(address);
  if (!isOperatorAddress(subject)) return { subject, ...NOBODY };
  const listed = roles.get(subject);
  if (listed !== undefined) return { subject, roles: listed, listedPerson: true };
  const domain = subject.slice(subject.lastIndexOf("@") + 1);
  const held = (roles.get(`*@${domain}`) ?? []).filter((role) => WILDCARD_ROLES.has(role));
  return { subject, roles: held, listedPerson: false };
}

/** A service keeps a prefix in every record: one called like a person is not that person. */
function serviceOf(roles: Roles, commonName: string): OperatorPrincipal {
  const name = normaliseEmail(commonName);
  const held = name.includes("@") ? undefined : roles.get(name);
  return { subject: `service:${name}`, roles: held ?? [], listedPerson: false };
}

/**
 * Why an entry of `ACCESS_ROLES` gives less than it says, or null. Names with `@` are persons' or a
 * domain's, all others are names of service tokens.
 */
export function operatorEntryProblem(
  name: string,
  held: readonly string[],
): "address_invalid" | "wildcard_roles" | null {
  const spelling = normaliseEmail(name);
  if (!spelling.includes("@")) return null;
  if (!spelling.startsWith("*@")) return isOperatorAddress(spelling) ? null : "address_invalid";
  if (!isOperatorAddress(`a${spelling.slice(1)}`)) return "address_invalid";
  return held.every((role) => WILDCARD_ROLES.has(role as OperatorRole)) ? null : "wildcard_roles";
}

/**
 * Verifies tokens of Cloudflare Access. The subject is the e-mail address in one spelling ("a
 * second person" must not be the same person in capitals), or `service:` and the common name of a
 * service token. An operator without an entry in `ACCESS_ROLES` has no role.
 */
export function operatorTokens(
  config: Pick<Config, "access">,
  clock: Clock,
  fetchKeys: typeof fetch,
): OperatorTokens {
  const { teamDomain, audience } = config.access;
  const roles = new Map(
    [...config.access.roles].map(([name, held]) => [normaliseEmail(name), held]),
  );
  const keys = lazyRemoteKeys(`${teamDomain}/cdn-cgi/access/certs`, fetchKeys);
  return {
    async verify(token) {
      const verified = await verifyToken(token, keys, {
        algorithms: ALGORITHMS,
        issuer: teamDomain,
        audience,
        currentDate: new Date(clock.nowMs()),
        requiredClaims: ["exp", "iat"],
      });
      if (!verified.ok) return verified;
      const { email, common_name: commonName } = verified.value;
      if (typeof email === "string" && email !== "") return ok(personOf(roles, email));
      return typeof commonName === "string" && commonName !== ""
        ? ok(serviceOf(roles, commonName))
        : err("token_invalid");
    },
  };
}
