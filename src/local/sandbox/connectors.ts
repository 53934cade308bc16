// The banks that a user can pick. The first one is the aggregator's own "Connecteur de test"; the
// others are made up, so that no real bank's name or look is imitated. `format` is how that bank
// writes its card labels.
import type { BankFormat } from "./labels.ts";

/** A bank of the sandbox. */
interface Connector {
  readonly id: number;
  /** Stable across domains: the product keys on it. */
  readonly uuid: string;
  readonly name: string;
  readonly color: string;
  readonly slug: string;
  readonly format: BankFormat;
}

/** The uuid of "Connecteur de test", the same on every sandbox domain of the aggregator. */
const testConnectorUuid = "338178e6-3d01-564f-9a7b-52ca442459bf";

export const connectors: readonly [Connector, ...Connector[]] = [
  {
    id: 59,
    uuid: testConnectorUuid,
    name: "Connecteur de test",
    color: "4b5563",
    slug: "EXA",
    format: "simple",
  },
  {
    id: 61,
    uuid: "5b1f0c52-7a0e-5d0b-9d53-0f6f1f6d1a01",
    name: "Banque du Vieux Phare",
    color: "0f766e",
    slug: "BVP",
    format: "bnp",
  },
  {
    id: 62,
    uuid: "5b1f0c52-7a0e-5d0b-9d53-0f6f1f6d1a02",
    name: "Caisse des Trois Rivières",
    color: "7c3aed",
    slug: "CTR",
    format: "credit_agricole",
  },
  {
    id: 63,
    uuid: "5b1f0c52-7a0e-5d0b-9d53-0f6f1f6d1a03",
    name: "Comptoir Imaginaire",
    color: "b45309",
    slug: "CIM",
    format: "credit_mutuel",
  },
  {
    id: 64,
    uuid: "5b1f0c52-7a0e-5d0b-9d53-0f6f1f6d1a04",
    name: "Néobanque Mirabelle",
    color: "be185d",
    slug: "NMI",
    format: "boursobank",
  },
  {
    id: 65,
    uuid: "5b1f0c52-7a0e-5d0b-9d53-0f6f1f6d1a05",
    name: "Épargne Populaire d'Ys",
    color: "1d4ed8",
    slug: "EPY",
    format: "la_banque_postale",
  },
];

/** The connector with this uuid or (domain-specific) id. */
export function findConnector(key: string | number): Connector | undefined {
  return connectors.find((connector) => connector.uuid === key || connector.id === Number(key));
}

/** The bank with this uuid, which the caller has checked before; the test connector otherwise. */
export function connectorOf(uuid: string): Connector {
  return findConnector(uuid) ?? connectors[0];
}

/**
 * Scenarios of the login page; the first group's names are those of the aggregator's own test
 * connector.
 */
export const scenarios: readonly { readonly value: string; readonly label: string }[] = [
  { value: "par", label: "Tout se passe bien" },
  { value: "SCARequired", label: "Validation dans l’application de la banque" },
  { value: "SCARequiredAndDecoupled", label: "Validation dans l’application, découplée" },
  { value: "shortDecoupled", label: "Validation découplée, courte" },
  { value: "SCARequiredAndOTP", label: "Code reçu par SMS (123456)" },
  { value: "additionalInformationNeeded", label: "Information complémentaire demandée (123456)" },
  { value: "wrongpass", label: "Identifiants refusés" },
  { value: "actionNeeded", label: "Action à faire sur le site de la banque" },
  { value: "passwordExpired", label: "Mot de passe expiré" },
  { value: "websiteUnavailable", label: "Site de la banque indisponible" },
  { value: "bug", label: "Erreur technique" },
];

/** The fields of the login form, as `expand=fields` shows them. */
export function connectorFields(): object[] {
  const common = {
    required: true,
    regex: null,
    auth_mechanisms: ["credentials"],
    connector_sources: ["directaccess", "openapi"],
  };
  return [
    { name: "login", label: "Identifiant", type: "text", ...common },
    { name: "password", label: "Mot de passe (1234)", type: "password", ...common },
    {
      name: "openapiwebsite",
      label: "Scénario",
      type: "list",
      ...common,
      required: false,
      values: scenarios,
    },
  ];
}

/** The connector as the API shows it. */
export function connectorBody(connector: Connector, expand: readonly string[] = []): object {
  const wanted = (name: string) =>
    expand.some((item) => item === name || item.startsWith(`${name}[`));
  return {
    id: connector.id,
    uuid: connector.uuid,
    name: connector.name,
    hidden: false,
    charged: true,
    code: null,
    beta: false,
    color: connector.color,
    slug: connector.slug,
    months_to_fetch: null,
    auth_mechanism: "credentials",
    available_auth_mechanisms: ["credentials"],
    transfer_mechanism: null,
    siret: null,
    restricted: false,
    capabilities: ["bank", "document", "profile"],
    account_usages: ["PRIV"],
    products: ["bank"],
    payment_settings: null,
    sync_frequency: null,
    stability: { status: "stable", last_update: "2026-01-01 00:00:00" },
    account_types: ["card", "checking", "livret_a"],
    ...(wanted("fields") ? { fields: connectorFields() } : {}),
    ...(wanted("countries") ? { countries: [{ id: "fr", name: "France" }] } : {}),
    ...(wanted("sources")
      ? {
        sources: [{
          id: connector.id * 10 + 1,
          name: "openapi",
          auth_mechanism: "credentials",
          priority: 1,
          disabled: null,
        }],
      }
      : {}),
    ...(wanted("urls") ? { urls: [] } : {}),
  };
}
