// The configuration, read once per isolate. A bad value stops the app with the names of the fields,
// never a value: values are keys and secrets. Names and defaults are those of API.md.
import { z } from "zod";
import { parseKeyring } from "./kernel/keyring.ts";
import type { Keyring } from "./kernel/keyring.ts";
import { err, ok } from "./kernel/result.ts";
import type { Result } from "./kernel/result.ts";

export type TrustedIssuer = {
  readonly issuer: string;
  readonly jwksUri: string;
  readonly audience: string;
  readonly subjectClaim: string;
};
export type OperatorRole = "catalogue" | "support" | "finance" | "auditor" | "owner";

export type Config = {
  readonly environment: "local" | "production";
  readonly jurisdiction: "eu" | null;
  readonly publicUrl: string;
  readonly redirectUris: readonly string[];
  readonly corsOrigins: readonly string[];
  readonly powens: {
    readonly apiUrl: string;
    readonly webviewUrl: string;
    readonly domain: string;
    readonly clientId: string;
    readonly clientSecret: string;
    readonly webhookSecrets: readonly string[];
  };
  readonly keyrings: {
    readonly encryption: Keyring;
    readonly index: Keyring;
    readonly archive: Keyring;
  };
  /** Private JWKs; the first signs, all verify. */
  readonly jwtSigningKeys: readonly JsonWebKeyWithKid[];
  readonly auditSigningKeys: readonly JsonWebKeyWithKid[];
  readonly auth: {
    readonly issuer: string;
    readonly audience: string;
    readonly trustedIssuers: readonly TrustedIssuer[];
  };
  readonly webauthn: { readonly rpId: string; readonly origins: readonly string[] };
  /** The mobile apps that belong to this system. */
  readonly apps: {
    readonly apple: readonly string[];
    readonly android: readonly {
      readonly packageName: string;
      readonly fingerprints: readonly string[];
    }[];
  };
  readonly access: {
    readonly teamDomain: string;
    readonly audience: string;
    readonly roles: ReadonlyMap<string, readonly OperatorRole[]>;
  };
  readonly email: { readonly url: string; readonly token: string };
  readonly programme: {
    readonly pointsPerEuro: number;
    readonly pointsExpireMonths: number;
    readonly redemptionMinimumPoints: number;
    readonly minimumAge: number;
    readonly referralPoints: number;
    readonly referralMinPurchaseCents: number;
    readonly reviewPoints: number;
  };
  readonly debtor: { readonly name: string; readonly iban: string; readonly bic: string };
  readonly auditWitnesses: readonly string[];
  /** Rows made before this instant may be without a seal; null: none may. */
  readonly unsealedBeforeMs: number | null;
};

export type JsonWebKeyWithKid = {
  readonly kid: string;
  readonly kty: string;
  readonly [member: string]: unknown;
};
/** `config_placeholder`: everything is well-formed, but these were never filled in. */
export type ConfigError = {
  readonly code: "config_invalid" | "config_placeholder";
  readonly fields: readonly string[];
};

function json(text: string, context: z.RefinementCtx): unknown {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: "custom", message: "not JSON" });
    return z.NEVER;
  }
}

const list = z.string().default("").transform((text) =>
  text.split(",").map((item) => item.trim()).filter((item) => item !== "")
);
// An origin or base address without a trailing slash, so that joining a path has one spelling.
const address = z.url().transform((text) => text.replace(/\/+$/, ""));
// The version is ours to add; operators copy the address from a console that shows it with one.
const aggregatorAddress = address.transform((text) =>
  text.replace(/\/2\.0$/, "").replace(/\/+$/, "")
);
const secret = z.string().min(8);
// Digits only: Number("") is 0, and a setting left blank must not give no points.
const whole = (fallback: number, minimum: number, maximum: number) =>
  z.string().regex(/^\d{1,9}$/).transform(Number).pipe(z.number().min(minimum).max(maximum))
    .default(fallback);
// Compared letter by letter with what a browser or an app sends, so only the one spelling it uses
// can be meant.
const origins = list.refine((items) =>
  items.every((item) => isOrigin(item) || item.startsWith("android:apk-key-hash:"))
);
const redirects = list.refine((items) =>
  items.every((item) =>
    URL.canParse(item) && !item.includes("#") && !/^(?:javascript|data|file|blob):/i.test(item)
  )
);

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

const keyring = z.string().transform((text, context): Keyring => {
  const parsed = parseKeyring(text);
  if (parsed !== null) return parsed;
  context.addIssue({ code: "custom", message: "not a keyring" });
  return z.NEVER;
});

const signingKeys = (kty: string, crv: string) =>
  z.string().transform(json).pipe(
    z.object({
      keys: z.array(
        z.looseObject({
          kid: z.string().min(1),
          kty: z.literal(kty),
          crv: z.literal(crv),
          x: z.string().min(1),
          d: z.string().min(1),
        }),
      ).min(1),
    })
      .refine(({ keys }) => new Set(keys.map(({ kid }) => kid)).size === keys.length),
  ).transform(({ keys }): readonly JsonWebKeyWithKid[] => keys);

const trustedIssuers = z.string().default("[]").transform(json).pipe(
  z.array(
    z.strictObject({
      issuer: z.string().min(1),
      jwks_uri: z.url(),
      audience: z.string().min(1),
      subject_claim: z.string().min(1).default("sub"),
    }),
  ),
);

const appleApps = list.refine((items) =>
  items.every((item) => /^[A-Z0-9]{10}\.[A-Za-z0-9.-]+$/.test(item))
);
const androidApps = z.string().default("[]").transform(json).pipe(
  z.array(
    z.strictObject({
      package_name: z.string().regex(/^\w+(?:\.\w+)+$/),
      sha256_cert_fingerprints: z.array(z.string().regex(/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/)).min(
        1,
      ),
    }),
  ),
);

/** Roles by name, as `ACCESS_ROLES` writes them. */
export const accessRoles = z.string().default("{}").transform(json).pipe(
  z.record(z.string(), z.array(z.enum(["catalogue", "support", "finance", "auditor", "owner"]))),
);

/** Without the setting: systems whose rows were all made by a version that seals. */
const UNSEALED_BEFORE_MS = Date.UTC(2026, 10, 28);
// `required`, or an instant after which only versions that seal have written.
const rowSeals = z.union([
  z.literal("required").transform(() => null),
  z.iso.datetime().transform((text) => Date.parse(text)),
]).default(UNSEALED_BEFORE_MS);

const schema = z.object({
  ENVIRONMENT: z.enum(["local", "production"]),
  JURISDICTION: z.enum(["", "eu"]).default(""),
  PUBLIC_URL: address,
  REDIRECT_URIS: redirects,
  CORS_ORIGINS: origins,
  POWENS_API_URL: aggregatorAddress,
  POWENS_WEBVIEW_URL: address,
  POWENS_DOMAIN: z.string().min(1),
  POWENS_CLIENT_ID: z.string().regex(/^\d{1,20}$/),
  POWENS_CLIENT_SECRET: secret,
  POWENS_WEBHOOK_SECRET: list.pipe(z.array(secret).min(1).max(2)),
  ENCRYPTION_KEYRING: keyring,
  INDEX_KEYRING: keyring,
  ARCHIVE_KEYRING: keyring,
  JWT_SIGNING_KEYS: signingKeys("EC", "P-256"),
  AUDIT_SIGNING_KEYS: signingKeys("OKP", "Ed25519"),
  AUTH_ISSUER: z.string().min(1),
  AUTH_AUDIENCE: z.string().min(1),
  AUTH_TRUSTED_ISSUERS: trustedIssuers,
  WEBAUTHN_RP_ID: z.string().min(1),
  WEBAUTHN_ORIGINS: origins,
  APPLE_APP_IDS: appleApps,
  ANDROID_APPS: androidApps,
  ACCESS_TEAM_DOMAIN: address,
  ACCESS_AUDIENCE: z.string().min(1),
  ACCESS_ROLES: accessRoles,
  EMAIL_DELIVERY_URL: z.url(),
  EMAIL_DELIVERY_TOKEN: secret,
  POINTS_PER_EURO: whole(100, 1, 100_000),
  POINTS_EXPIRE_MONTHS: whole(24, 1, 120),
  REDEMPTION_MINIMUM_POINTS: whole(500, 1, 1_000_000),
  MINIMUM_AGE: whole(18, 13, 100),
  REFERRAL_POINTS: whole(300, 0, 1_000_000),
  REFERRAL_MIN_PURCHASE_CENTS: whole(1000, 0, 1_000_000),
  REVIEW_POINTS: whole(20_000, 1, 100_000_000),
  DEBTOR_NAME: z.string().default(""),
  DEBTOR_IBAN: z.string().default(""),
  DEBTOR_BIC: z.string().default(""),
  AUDIT_WITNESSES: list,
  ROW_SEALS: rowSeals,
});

/**
 * Names of every setting, in API.md's spelling: what an operator's documentation and the Deno
 * permissions list.
 */
export function configNames(): string[] {
  return Object.keys(schema.shape);
}

/**
 * Reads the configuration from an environment. Fails with the names of what is missing or
 * malformed, and of keyrings that share a key. In production it also refuses to run without the EU
 * jurisdiction, with plain HTTP anywhere data travels, with a webhook secret that can be guessed,
 * or with what is clearly a placeholder; locally, at an address that strangers may reach.
 */
export function parseConfig(env: Readonly<Record<string, unknown>>): Result<Config, ConfigError> {
  const parsed = schema.safeParse(env);
  if (!parsed.success) {
    const fields = [
      ...new Set(parsed.error.issues.map((issue) => String(issue.path[0] ?? "ENVIRONMENT"))),
    ].sort();
    return err({ code: "config_invalid", fields });
  }
  const values = parsed.data;
  const unsafe = [
    ...sharedKeyrings(values),
    ...(values.ENVIRONMENT === "production" ? unsafeInProduction(values) : unsafeLocally(values)),
  ].sort();
  if (unsafe.length > 0) return err({ code: "config_invalid", fields: unsafe });
  const unfilled = values.ENVIRONMENT === "production" ? placeholders(env, values) : [];
  return unfilled.length === 0
    ? ok(toConfig(values))
    : err({ code: "config_placeholder", fields: unfilled });
}

/** One sentence for the operator who started the process. */
export function configSentence({ code, fields }: ConfigError): string {
  return code === "config_invalid"
    ? `missing or malformed settings: ${fields.join(", ")}`
    : `settings that are still placeholders: ${fields.join(", ")}`;
}

/** Every address that the application calls with these settings. */
export function calledAddresses(config: Config): string[] {
  return [
    config.powens.apiUrl,
    config.access.teamDomain,
    config.email.url,
    ...config.auth.trustedIssuers.map((issuer) => issuer.jwksUri),
  ];
}

const PLACEHOLDER_TEXT =
  /^(?:<.*>|(?:set|change|replace|fill)[-_ ]?(?:me|this|in)|placeholder|to-?do|x{3,}|your[-_ ].*)$/i;
// The names of RFC 2606 (`.test` and `.localhost` are really used, in tests) and the first label of
// our own template.
const PLACEHOLDER_HOST = /^example\.|(?:^|\.)example(?:\.(?:com|net|org))?$|\.invalid$/i;

function placeholders(env: Readonly<Record<string, unknown>>, values: Values): string[] {
  const fields = configNames().filter((name) => {
    const text = env[name];
    return typeof text === "string" && PLACEHOLDER_TEXT.test(text.trim());
  });
  if (/^0+$/.test(values.POWENS_CLIENT_ID)) fields.push("POWENS_CLIENT_ID");
  if (PLACEHOLDER_HOST.test(values.POWENS_DOMAIN)) fields.push("POWENS_DOMAIN");
  for (const name of ["POWENS_API_URL", "POWENS_WEBVIEW_URL"] as const) {
    if (PLACEHOLDER_HOST.test(new URL(values[name]).hostname)) fields.push(name);
  }
  return [...new Set(fields)].sort();
}

type Values = z.output<typeof schema>;

function unsafeInProduction(values: Values): string[] {
  const fields: string[] = [];
  if (values.JURISDICTION !== "eu") fields.push("JURISDICTION");
  if (!values.POWENS_WEBHOOK_SECRET.every(isStrongSecret)) fields.push("POWENS_WEBHOOK_SECRET");
  for (
    const name of [
      "PUBLIC_URL",
      "POWENS_API_URL",
      "POWENS_WEBVIEW_URL",
      "ACCESS_TEAM_DOMAIN",
      "EMAIL_DELIVERY_URL",
    ] as const
  ) {
    if (!values[name].startsWith("https://")) fields.push(name);
  }
  for (const name of ["REDIRECT_URIS", "CORS_ORIGINS", "WEBAUTHN_ORIGINS"] as const) {
    if (values[name].some((item) => /^http:/i.test(item))) fields.push(name);
  }
  // Whoever can change the keys on their way signs in as anybody.
  if (values.AUTH_TRUSTED_ISSUERS.some((item) => !item.jwks_uri.startsWith("https://"))) {
    fields.push("AUTH_TRUSTED_ISSUERS");
  }
  return fields;
}

const SECRET_BITS = 256;
// 32 random bytes in hexadecimal or base64 have more different characters than this.
const SECRET_CHARACTERS_MIN = 8;

/**
 * Whether a text can be 32 random bytes. Whoever guesses a webhook secret from one recorded
 * delivery can invent purchases.
 */
function isStrongSecret(text: string): boolean {
  const bitsEach = /^\d+$/.test(text) ? Math.log2(10) : /^[0-9a-f]+$/i.test(text) ? 4 : 6;
  return text.length * bitsEach >= SECRET_BITS && new Set(text).size >= SECRET_CHARACTERS_MIN;
}

/**
 * Names of our own machine and of private networks; everything else may be reached by strangers.
 */
const PRIVATE_HOST =
  /^(?:localhost|[^.:]+|.*\.(?:localhost|local|internal|test)|\[::1\]|127(?:\.\d+){3}|10(?:\.\d+){3}|192\.168(?:\.\d+){2}|172\.(?:1[6-9]|2\d|3[01])(?:\.\d+){2})$/;

/** The local system has a movable clock and a bank that obeys everybody. */
function unsafeLocally(values: Values): string[] {
  return PRIVATE_HOST.test(new URL(values.PUBLIC_URL).hostname) ? [] : ["PUBLIC_URL"];
}

/** Keyrings with a key that is in another one, or twice in this one. */
function sharedKeyrings(values: Values): string[] {
  const names = ["ENCRYPTION_KEYRING", "INDEX_KEYRING", "ARCHIVE_KEYRING"] as const;
  const keysOf = (name: (typeof names)[number]): string[] =>
    [...values[name].keys.values()].map((bytes) => bytes.join());
  const all = names.flatMap(keysOf);
  const isShared = (key: string): boolean => all.indexOf(key) !== all.lastIndexOf(key);
  return names.filter((name) => keysOf(name).some(isShared));
}

function toConfig(values: Values): Config {
  return {
    environment: values.ENVIRONMENT,
    jurisdiction: values.JURISDICTION === "eu" ? "eu" : null,
    publicUrl: values.PUBLIC_URL,
    redirectUris: values.REDIRECT_URIS,
    corsOrigins: values.CORS_ORIGINS,
    powens: {
      apiUrl: values.POWENS_API_URL,
      webviewUrl: values.POWENS_WEBVIEW_URL,
      domain: values.POWENS_DOMAIN,
      clientId: values.POWENS_CLIENT_ID,
      clientSecret: values.POWENS_CLIENT_SECRET,
      webhookSecrets: values.POWENS_WEBHOOK_SECRET,
    },
    keyrings: {
      encryption: values.ENCRYPTION_KEYRING,
      index: values.INDEX_KEYRING,
      archive: values.ARCHIVE_KEYRING,
    },
    jwtSigningKeys: values.JWT_SIGNING_KEYS,
    auditSigningKeys: values.AUDIT_SIGNING_KEYS,
    auth: {
      issuer: values.AUTH_ISSUER,
      audience: values.AUTH_AUDIENCE,
      trustedIssuers: values.AUTH_TRUSTED_ISSUERS.map((item) => ({
        issuer: item.issuer,
        jwksUri: item.jwks_uri,
        audience: item.audience,
        subjectClaim: item.subject_claim,
      })),
    },
    webauthn: { rpId: values.WEBAUTHN_RP_ID, origins: values.WEBAUTHN_ORIGINS },
    apps: {
      apple: values.APPLE_APP_IDS,
      android: values.ANDROID_APPS.map((app) => ({
        packageName: app.package_name,
        fingerprints: app.sha256_cert_fingerprints,
      })),
    },
    access: {
      teamDomain: values.ACCESS_TEAM_DOMAIN,
      audience: values.ACCESS_AUDIENCE,
      roles: new Map(Object.entries(values.ACCESS_ROLES)),
    },
    email: { url: values.EMAIL_DELIVERY_URL, token: values.EMAIL_DELIVERY_TOKEN },
    programme: {
      pointsPerEuro: values.POINTS_PER_EURO,
      pointsExpireMonths: values.POINTS_EXPIRE_MONTHS,
      redemptionMinimumPoints: values.REDEMPTION_MINIMUM_POINTS,
      minimumAge: values.MINIMUM_AGE,
      referralPoints: values.REFERRAL_POINTS,
      referralMinPurchaseCents: values.REFERRAL_MIN_PURCHASE_CENTS,
      reviewPoints: values.REVIEW_POINTS,
    },
    debtor: { name: values.DEBTOR_NAME, iban: values.DEBTOR_IBAN, bic: values.DEBTOR_BIC },
    auditWitnesses: values.AUDIT_WITNESSES,
    unsealedBeforeMs: values.ROW_SEALS,
  };
}
