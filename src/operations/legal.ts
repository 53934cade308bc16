// What the law and fairness ask us to publish: who reads the bank account, what is kept and how
// long, where, through whom, and where to complain. Pure; what depends on the operator comes from
// the configuration.
import type { Config } from "../config.ts";
import type { Locale } from "../texts/catalogue.ts";
import { LEGAL } from "../texts/texts.ts";
import { toInstant } from "../kernel/time.ts";
import type { Halt } from "./halts/halts.ts";

const KEPT = [
  { what: "kept_rows_what", why: "kept_rows_why", until: "kept_rows_until" },
  { what: "kept_profile_what", why: "kept_profile_why", until: "kept_profile_until" },
  { what: "kept_ledger_what", why: "kept_ledger_why", until: "kept_ledger_until" },
] as const;

const NEVER_KEPT = ["never_credentials", "never_other_data", "never_payment_orders"] as const;

/** The mailbox for security and for complaints, at the host of our own address (RFC 2142). */
function mailbox(publicUrl: string, name: "security" | "contact"): string {
  return `mailto:${name}@${new URL(publicUrl).hostname}`;
}

/**
 * `GET /v1/legal`. `host`: the company whose machines this runs on; null for a server of the
 * operator's own, which is then named by its address.
 */
export function legalNotice(
  config: Pick<Config, "publicUrl" | "powens" | "email" | "jurisdiction" | "debtor">,
  host: string | null,
  locale: Locale,
  halted: readonly Pick<Halt, "what" | "begunAtMs">[],
) {
  const say = LEGAL.in(locale);
  const provider = host ?? new URL(config.publicUrl).hostname;
  return {
    operator: {
      name: config.debtor.name === "" ? null : config.debtor.name,
      url: config.publicUrl,
    },
    account_information: {
      provider: "Powens",
      domain: config.powens.domain,
      role: say("provider_role"),
    },
    agent: { of: "Powens", register: "https://www.regafi.fr", status: say("agent_status") },
    data_kept: KEPT.map(({ what, why, until }) => ({
      what: say(what),
      why: say(why),
      until: say(until),
    })),
    data_never_kept: NEVER_KEPT.map((key) => say(key)),
    hosting: {
      provider,
      jurisdiction: config.jurisdiction,
      statement: say(
        config.jurisdiction === "eu" ? "hosting_statement" : "hosting_statement_undeclared",
      ),
    },
    processors: [
      { role: "aggregator" as const, name: "Powens" },
      { role: "hosting" as const, name: provider },
      { role: "email" as const, name: new URL(config.email.url).hostname },
    ],
    // Why is for the operators: a reason may name a person.
    halts: halted.map(({ what, begunAtMs }) => ({
      what,
      since: toInstant(begunAtMs),
      effect: say(`halted_${what}`),
    })),
    complaints: {
      contact: mailbox(config.publicUrl, "contact"),
      how: say("complaints_how"),
      authorities: [
        {
          name: "ACPR",
          url: "https://acpr.banque-france.fr",
          about: say("about_payment_services"),
        },
        { name: "CNIL", url: "https://www.cnil.fr", about: say("about_personal_data") },
      ],
    },
  };
}

/**
 * `security.txt` (RFC 9116). It expires 180 days after it was read: the standard asks for less than
 * a year.
 */
export function securityText(publicUrl: string, expiresAt: string): string {
  return [
    `Contact: ${mailbox(publicUrl, "security")}`,
    `Expires: ${expiresAt}`,
    "Preferred-Languages: fr, en",
    `Canonical: ${publicUrl}/.well-known/security.txt`,
    "",
  ].join("\n");
}
