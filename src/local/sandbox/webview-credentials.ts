// The sign-in form of the webview: password, second factor, and the scenarios of the test bank.
import type { Link } from "./webview-link.ts";
import { offeredBanks } from "./webview-link.ts";
import { confirmPage, signInPage } from "./webview-pages.ts";
import type { Session } from "./webview-session.ts";

/** The heading of each flow. */
export const titles = {
  connect: "Connecter votre banque",
  reconnect: "Renouveler l’accès",
  manage: "Gérer mes comptes",
} as const;

const refusals: Record<string, string> = {
  wrongpass: "Identifiant ou mot de passe incorrect.",
  actionNeeded: "Votre banque demande une action de votre part sur son site.",
  passwordExpired: "Votre mot de passe a expiré : changez-le sur le site de votre banque.",
  websiteUnavailable: "Le site de votre banque ne répond pas. Réessayez plus tard.",
  bug: "Une erreur est survenue. Réessayez plus tard.",
};

/** The fields of a form. */
export type Fields = Record<string, unknown>;
/** A field's text; empty when it is missing or a list. */
export const text = (
  fields: Fields,
  name: string,
): string => (typeof fields[name] === "string" ? fields[name] : "");

/**
 * Bank, login and password were sent: an error on the same page, a second factor, or null when the
 * user is in.
 */
export function checkCredentials(link: Link, session: Session, fields: Fields): Response | null {
  const values = Object.fromEntries(
    ["connector_uuid", "login", "openapiwebsite", "history_months", "sync"].map((
      name,
    ) => [name, text(fields, name)]),
  );
  const scenario = values["openapiwebsite"] ?? "";
  if (text(fields, "step") === "confirm") {
    const wantsCode = scenario === "SCARequiredAndOTP" ||
      scenario === "additionalInformationNeeded";
    if (!wantsCode || text(fields, "otp") === "123456") return null;
    return confirmPage(
      link.action,
      { ...values, session: session.id },
      true,
      "Ce code n’est pas le bon.",
    );
  }
  // Renewing keeps the bank: the link does not name it, so no choice is shown.
  const offered = link.flow === "reconnect" ? [text(fields, "connector_uuid")] : offeredBanks(link);
  const again = (error: string) =>
    signInPage({
      title: titles[link.flow],
      action: link.action,
      session: session.id,
      uuids: offered,
      values,
      error,
    });
  if (link.flow === "connect" && !offeredBanks(link).includes(values["connector_uuid"] ?? "")) {
    return again("Choisissez une banque.");
  }
  if (link.flow === "connect" && values["login"]?.trim() === "") {
    return again("L’identifiant est obligatoire.");
  }
  if (text(fields, "password") !== "1234") return again(refusals["wrongpass"] ?? "");
  if (refusals[scenario] !== undefined) return again(refusals[scenario]);
  if (scenario === "" || scenario === "par") return null;
  return confirmPage(
    link.action,
    { ...values, session: session.id },
    scenario === "SCARequiredAndOTP" || scenario === "additionalInformationNeeded",
    null,
  );
}
