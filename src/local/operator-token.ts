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
 * that the local roles do not know is written as an address of the role's own domain, to which the
 * local settings give the role (`*@catalogue.local`).
 */
export async function operatorToken(request: OperatorTokenRequest): Promise<string> {
  const settings = localSettings("", "");
  const roles = JSON.parse(settings["ACCESS_ROLES"] ?? "{}") as Record<string, string[]>;
  const subject = roles[request.subject]?.includes(request.role)
    ? request.subject
    : `${request.subject}@${request.role}.local`;
  return signAccessToken({
    privateJwk: JSON.parse(request.secrets.ACCESS_SIGNING_KEY),
    audience: settings["ACCESS_AUDIENCE"] ?? "",
    issuer: request.issuer,
    subject,
    nowMs: request.nowMs,
  });
}
