// Operators come through Cloudflare Access. Its token says who somebody is; what they may do is our
// configuration alone.
import type { Config } from "../config.ts";
import type { OperatorTokens } from "../http/authentication.ts";
import { err, ok } from "../kernel/result.ts";
import type { Clock } from "../kernel/time.ts";
import { lazyRemoteKeys, verifyToken } from "./access-tokens.ts";
import { normaliseEmail } from "./email.ts";

const ALGORITHMS = ["RS256", "ES256"];

/**
 * Verifies tokens of Cloudflare Access. The subject is the e-mail address, or the common name of a
 * service token, in one spelling: "a second person" must not be the same person in capitals. An
 * operator without an entry in `ACCESS_ROLES` has no role.
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
      const name = typeof email === "string" && email !== "" ? email : commonName;
      if (typeof name !== "string" || name === "") return err("token_invalid");
      const subject = normaliseEmail(name);
      // `*@domain` gives a role to everybody whose address Access verified in that domain.
      const domain = `*@${subject.split("@")[1] ?? ""}`;
      return ok({ subject, roles: roles.get(subject) ?? roles.get(domain) ?? [] });
    },
  };
}
