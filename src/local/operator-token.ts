// Operators' tokens of the local system, signed with the certificate that the sandbox publishes in
// Cloudflare Access's place.
import { signAccessToken } from "./sandbox/access-token.ts";
import { localSettings } from "./settings.ts";
import type { LocalSecrets } from "./settings.ts";

type OperatorTokenRequest = {
  readonly secrets: LocalSecrets;
  readonly issuer: string;
  readonly role: string;
  readonly subject: string;
  readonly nowMs: number;
};

/**
 * A token for that subject in that role. Roles come from ACCESS_ROLES, never from the token: a name
 * becomes an address in the role's own domain (`alice@catalogue.local`), to which the local
 * settings give the role.
 */
export async function operatorToken(request: OperatorTokenRequest): Promise<string> {
  return signAccessToken({
    privateJwk: JSON.parse(request.secrets.ACCESS_SIGNING_KEY),
    audience: localSettings("", "")["ACCESS_AUDIENCE"] ?? "",
    issuer: request.issuer,
    subject: `${request.subject}@${request.role}.local`,
    nowMs: request.nowMs,
  });
}
