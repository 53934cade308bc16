// What the law and fairness ask us to tell: who reads the bank account, what is kept and how long,
// where, through whom, and where to complain. Pure; what depends on the operator comes from the
// configuration.
import type { Config } from "../config.ts";

type Locale = "fr" | "en";
type Both = Readonly<Record<Locale, string>>;

const KEPT: readonly { readonly what: Both; readonly why: Both; readonly until: Both }[] = [
  {
    what: {
      fr: "Libellé, date et montant des paiements par carte et de leurs remboursements",
      en: "Label, date and amount of card payments and their refunds",
    },
    why: {
      fr: "Reconnaître la marque et calculer les points",
      en: "To recognise the brand and compute the points",
    },
    until: { fr: "Jusqu'à l'effacement du compte", en: "Until the account is erased" },
  },
  {
    what: { fr: "Adresse e-mail et profil, chiffrés", en: "E-mail address and profile, encrypted" },
    why: { fr: "Ouvrir une session et vérifier l'âge", en: "To sign in and to check the age" },
    until: { fr: "Jusqu'à l'effacement du compte", en: "Until the account is erased" },
  },
  {
    what: {
      fr: "Registre des points, sous un identifiant aléatoire",
      en: "Ledger of points, under a random identifier",
    },
    why: { fr: "Prouver que les points sont justes", en: "To prove that the points are right" },
    until: {
      fr: "Dix ans pour la comptabilité, sans donnée personnelle après l'effacement",
      en: "Ten years for accounting, without personal data after erasure",
    },
  },
];

const NEVER: readonly Both[] = [
  {
    fr: "Vos identifiants bancaires : vous les saisissez chez Powens, jamais chez nous",
    en: "Your bank credentials: you type them at Powens, never with us",
  },
  {
    fr:
      "Soldes, IBAN, épargne, crédits, virements, prélèvements et contreparties : ils ne sont pas conservés",
    en:
      "Balances, IBAN, savings, loans, transfers, direct debits and counterparties: they are not kept",
  },
  {
    fr: "Aucun ordre de paiement : nous ne pouvons pas mouvoir votre argent",
    en: "No payment order: we cannot move your money",
  },
];

/** The mailbox for security and for complaints, at the host of our own address (RFC 2142). */
function mailbox(publicUrl: string, name: "security" | "contact"): string {
  return `mailto:${name}@${new URL(publicUrl).hostname}`;
}

/** `GET /v1/legal`. */
export function legalNotice(
  config: Pick<Config, "publicUrl" | "powens" | "email" | "jurisdiction" | "debtor">,
  locale: Locale,
) {
  return {
    operator: {
      name: config.debtor.name === "" ? null : config.debtor.name,
      url: config.publicUrl,
    },
    account_information: {
      provider: "Powens",
      domain: config.powens.domain,
      role: {
        fr:
          "Powens, établissement agréé, fournit le service d'information sur les comptes et lit vos comptes avec votre accord",
        en:
          "Powens, a licensed institution, provides the account information service and reads your accounts with your consent",
      }[locale],
    },
    agent: {
      of: "Powens",
      register: "https://www.regafi.fr",
      status: {
        fr:
          "L'exploitant agit comme agent du prestataire ; son inscription se vérifie dans le registre",
        en:
          "The operator acts as the provider's agent; its registration can be checked in the register",
      }[locale],
    },
    data_kept: KEPT.map(({ what, why, until }) => ({
      what: what[locale],
      why: why[locale],
      until: until[locale],
    })),
    data_never_kept: NEVER.map((text) => text[locale]),
    hosting: {
      provider: "Cloudflare",
      jurisdiction: config.jurisdiction,
      statement: {
        fr: "Données stockées et registre exécuté dans l'Union européenne",
        en: "Data stored and ledger run in the European Union",
      }[locale],
    },
    processors: [
      { role: "aggregator" as const, name: "Powens" },
      { role: "hosting" as const, name: "Cloudflare" },
      { role: "email" as const, name: new URL(config.email.url).hostname },
    ],
    complaints: {
      contact: mailbox(config.publicUrl, "contact"),
      how: {
        fr:
          "Contestez un achat dans l'application ; pour le reste, écrivez-nous. Sans réponse satisfaisante, vous pouvez saisir ces autorités.",
        en:
          "Contest a purchase in the application; for anything else, write to us. Without a satisfactory answer you can turn to these authorities.",
      }[locale],
      authorities: [
        {
          name: "ACPR",
          url: "https://acpr.banque-france.fr",
          about: { fr: "Services de paiement", en: "Payment services" }[locale],
        },
        {
          name: "CNIL",
          url: "https://www.cnil.fr",
          about: { fr: "Données personnelles", en: "Personal data" }[locale],
        },
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
