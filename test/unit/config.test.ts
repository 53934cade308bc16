// The configuration: what is missing or malformed is named, and nothing of its value appears
// anywhere.
import { readFile } from "node:fs/promises";
import { beforeAll, describe, it } from "vitest";
import { calledAddresses, configNames, parseConfig } from "../../src/config.ts";
import type { Config, ConfigError } from "../../src/config.ts";
import type { Result } from "../../src/kernel/result.ts";
import { localSettings, makeSecrets } from "../../src/local/settings.ts";

type Env = Record<string, unknown>;

let local: Env = {};
let production: Env = {};

beforeAll(async () => {
  const { ACCESS_SIGNING_KEY: _sandboxOnly, ...secrets } = await makeSecrets();
  local = { ...localSettings("http://127.0.0.1:8787", "http://127.0.0.1:8788"), ...secrets };
  production = {
    ...local,
    ENVIRONMENT: "production",
    JURISDICTION: "eu",
    PUBLIC_URL: "https://api.example.eu",
    REDIRECT_URIS: "https://app.example.eu/bank,myapp://done",
    CORS_ORIGINS: "https://app.example.eu",
    POWENS_API_URL: "https://acme.biapi.pro",
    POWENS_WEBVIEW_URL: "https://webview.powens.com",
    WEBAUTHN_ORIGINS: "https://app.example.eu",
    ACCESS_TEAM_DOMAIN: "https://example.cloudflareaccess.com",
    EMAIL_DELIVERY_URL: "https://mail.example.eu/send",
  };
});

function fieldsOf(result: Result<Config, ConfigError>): readonly string[] {
  return result.ok ? [] : result.error.fields;
}

const REQUIRED = [
  "ENVIRONMENT",
  "PUBLIC_URL",
  "POWENS_API_URL",
  "POWENS_WEBVIEW_URL",
  "POWENS_DOMAIN",
  "POWENS_CLIENT_ID",
  "POWENS_CLIENT_SECRET",
  "POWENS_WEBHOOK_SECRET",
  "ENCRYPTION_KEYRING",
  "INDEX_KEYRING",
  "ARCHIVE_KEYRING",
  "JWT_SIGNING_KEYS",
  "AUDIT_SIGNING_KEYS",
  "AUTH_ISSUER",
  "AUTH_AUDIENCE",
  "WEBAUTHN_RP_ID",
  "ACCESS_TEAM_DOMAIN",
  "ACCESS_AUDIENCE",
  "EMAIL_DELIVERY_URL",
  "EMAIL_DELIVERY_TOKEN",
];

// Recognisable, so that a search through the error finds any part of it.
const PLANTED = "planted-7f3a9";
const keys = (kid: string, members: Record<string, unknown>): string =>
  JSON.stringify({
    keys: [{ kid, kty: "EC", crv: "P-256", x: PLANTED, y: PLANTED, d: PLANTED, ...members }],
  });
const MALFORMED: Readonly<Record<string, readonly unknown[]>> = {
  ENVIRONMENT: [PLANTED, "", "Production", 1],
  JURISDICTION: [PLANTED, "us", "EU"],
  PUBLIC_URL: [PLANTED, ""],
  POWENS_API_URL: [PLANTED],
  POWENS_WEBVIEW_URL: [PLANTED],
  ACCESS_TEAM_DOMAIN: [PLANTED],
  EMAIL_DELIVERY_URL: [PLANTED, ""],
  REDIRECT_URIS: [
    PLANTED,
    `https://${PLANTED}.example/#fragment`,
    `javascript:alert('${PLANTED}')`,
    `data:text/html,${PLANTED}`,
  ],
  CORS_ORIGINS: [
    PLANTED,
    "*",
    "null",
    `https://${PLANTED}.example/`,
    `https://${PLANTED}.example/path`,
    `HTTPS://${PLANTED}.example`,
    `https://${PLANTED}.example:443`,
  ],
  WEBAUTHN_ORIGINS: [PLANTED, `https://${PLANTED}.example/`],
  APPLE_APP_IDS: [PLANTED, `${PLANTED}.eu.example.app`, "SHORT.eu.example.app"],
  ANDROID_APPS: [
    PLANTED,
    "{}",
    `[{"package_name":"${PLANTED}","sha256_cert_fingerprints":[]}]`,
    '[{"package_name":"eu.example.app","sha256_cert_fingerprints":["14:6D"]}]',
  ],
  POWENS_DOMAIN: [""],
  POWENS_CLIENT_ID: [PLANTED, "", "12 34", "123456789012345678901"],
  POWENS_CLIENT_SECRET: ["7f3a9", ""],
  EMAIL_DELIVERY_TOKEN: ["7f3a9", ""],
  POWENS_WEBHOOK_SECRET: [
    "",
    "7f3a9",
    " , ",
    `${PLANTED},${PLANTED}2,${PLANTED}3`,
    `${PLANTED},short`,
  ],
  ENCRYPTION_KEYRING: [
    PLANTED,
    "{}",
    "null",
    `{"active":"a","keys":{"a":"${Buffer.from(PLANTED.padEnd(16)).toString("base64")}"}}`,
  ],
  INDEX_KEYRING: [PLANTED],
  ARCHIVE_KEYRING: [PLANTED],
  JWT_SIGNING_KEYS: [
    PLANTED,
    "{}",
    '{"keys":[]}',
    keys("", {}),
    keys("a", { crv: "P-384" }),
    keys("a", { d: undefined }),
    keys("a", { x: undefined }),
    keys("a", { kty: "OKP", crv: "Ed25519" }),
  ],
  AUDIT_SIGNING_KEYS: [PLANTED, keys("a", {})],
  AUTH_ISSUER: [""],
  AUTH_AUDIENCE: [""],
  WEBAUTHN_RP_ID: [""],
  ACCESS_AUDIENCE: [""],
  AUTH_TRUSTED_ISSUERS: [
    PLANTED,
    "",
    "{}",
    `[{"issuer":"${PLANTED}"}]`,
    `[{"issuer":"a","jwks_uri":"${PLANTED}","audience":"b"}]`,
    `[{"issuer":"a","jwks_uri":"https://a.example","audience":"b","${PLANTED}":1}]`,
  ],
  ACCESS_ROLES: [PLANTED, "[]", `{"${PLANTED}":["king"]}`, `{"${PLANTED}":"owner"}`],
  POINTS_PER_EURO: [PLANTED, "", "0", "-1", "1.5", "1e2", "0x64", " 100", "100001", null, true],
  POINTS_EXPIRE_MONTHS: ["", "0", "121"],
  REDEMPTION_MINIMUM_POINTS: ["", "0"],
  MINIMUM_AGE: ["", "12", "101"],
  REFERRAL_POINTS: ["", " ", "-1", "1000001"],
  REFERRAL_MIN_PURCHASE_CENTS: ["", "-1"],
  REVIEW_POINTS: ["", "0", "-1", "1.5"],
  ROW_SEALS: ["", "yes", "2026-11-28", "2026-13-01T00:00:00Z"],
};

describe("parseConfig", () => {
  it("reads the local configuration", ({ expect }) => {
    const config = parseConfig(local);
    expect(fieldsOf(config)).toEqual([]);
    if (!config.ok) return;
    expect(config.value).toMatchObject({
      environment: "local",
      jurisdiction: null,
      publicUrl: "http://127.0.0.1:8787",
      redirectUris: ["http://127.0.0.1:8788/done", "myapp://done"],
      corsOrigins: ["http://127.0.0.1:8788"],
      programme: {
        pointsPerEuro: 100,
        pointsExpireMonths: 24,
        redemptionMinimumPoints: 500,
        minimumAge: 18,
        referralPoints: 300,
        referralMinPurchaseCents: 1000,
        reviewPoints: 20000,
      },
      debtor: { name: "Cagnotte (local)", iban: "", bic: "" },
    });
    expect(config.value.access.roles.get("alice@owner.local")).toEqual(["owner"]);
    expect(config.value.jwtSigningKeys).toHaveLength(1);
    expect(config.value.keyrings.encryption).not.toEqual(config.value.keyrings.index);
  });

  it("has API.md's defaults for the programme and for the lists", ({ expect }) => {
    const bare = Object.fromEntries(
      Object.entries(local).filter(([name]) => REQUIRED.includes(name)),
    );
    const config = parseConfig(bare);
    expect(fieldsOf(config)).toEqual([]);
    if (!config.ok) return;
    expect(config.value.programme).toEqual({
      pointsPerEuro: 100,
      pointsExpireMonths: 24,
      redemptionMinimumPoints: 500,
      minimumAge: 18,
      referralPoints: 300,
      referralMinPurchaseCents: 1000,
      reviewPoints: 20000,
    });
    expect([config.value.redirectUris, config.value.corsOrigins, config.value.auth.trustedIssuers, [
      ...config.value.access.roles,
    ]]).toEqual([[], [], [], []]);
  });

  it("names each required field that is missing, and only it", ({ expect }) => {
    for (const name of REQUIRED) {
      const { [name]: _missing, ...rest } = local;
      expect(parseConfig(rest), name).toEqual({
        ok: false,
        error: { code: "config_invalid", fields: [name] },
      });
    }
    expect(fieldsOf(parseConfig({}))).toEqual([...REQUIRED].sort());
  });

  it("names each malformed field, and only it, with nothing of its value", ({ expect }) => {
    for (const [name, values] of Object.entries(MALFORMED)) {
      for (const value of values) {
        const result = parseConfig({ ...local, [name]: value });
        expect(result, `${name} = ${String(value)}`).toEqual({
          ok: false,
          error: { code: "config_invalid", fields: [name] },
        });
        expect(JSON.stringify(result)).not.toContain("7f3a9");
      }
    }
    const untested = configNames().filter((name) =>
      MALFORMED[name] === undefined &&
      !["DEBTOR_NAME", "DEBTOR_IBAN", "DEBTOR_BIC", "AUDIT_WITNESSES"].includes(name)
    );
    expect(untested).toEqual([]);
  });

  it("takes one or two webhook secrets, as they are between the commas", ({ expect }) => {
    for (
      const [given, wanted] of [["first-secret", ["first-secret"]], [
        "first-secret, second-secret",
        ["first-secret", "second-secret"],
      ]] as const
    ) {
      const config = parseConfig({ ...local, POWENS_WEBHOOK_SECRET: given });
      expect(config.ok && config.value.powens.webhookSecrets).toEqual(wanted);
    }
  });

  it("refuses two signing keys of one name: nobody could know which signed", ({ expect }) => {
    const [key] =
      (JSON.parse(String(local["JWT_SIGNING_KEYS"])) as { keys: Record<string, unknown>[] }).keys;
    expect(
      fieldsOf(parseConfig({ ...local, JWT_SIGNING_KEYS: JSON.stringify({ keys: [key, key] }) })),
    ).toEqual(["JWT_SIGNING_KEYS"]);
    expect(
      fieldsOf(
        parseConfig({
          ...local,
          JWT_SIGNING_KEYS: JSON.stringify({ keys: [key, { ...key, kid: "other" }] }),
        }),
      ),
    ).toEqual([]);
  });

  it("joins addresses without a doubled slash", ({ expect }) => {
    const config = parseConfig({ ...local, PUBLIC_URL: "http://127.0.0.1:8787//" });
    expect(config.ok && config.value.publicUrl).toBe("http://127.0.0.1:8787");
  });

  it("takes the aggregator's address with and without its version", ({ expect }) => {
    for (const end of ["", "/", "/2.0", "/2.0/", "//2.0//"]) {
      const config = parseConfig({ ...local, POWENS_API_URL: `http://127.0.0.1:8788${end}` });
      expect(config.ok && config.value.powens.apiUrl, end).toBe("http://127.0.0.1:8788");
    }
  });

  it("knows every address that is called", ({ expect }) => {
    const config = parseConfig({
      ...local,
      AUTH_TRUSTED_ISSUERS: JSON.stringify([
        { issuer: "a", jwks_uri: "https://id.example/jwks", audience: "b" },
      ]),
    });
    expect(config.ok && calledAddresses(config.value)).toEqual([
      "http://127.0.0.1:8788",
      "http://127.0.0.1:8788",
      "http://127.0.0.1:8788/mailbox",
      "https://id.example/jwks",
    ]);
  });

  it("ignores what is not a setting", ({ expect }) => {
    expect(parseConfig({ ...local, DB: {}, PATH: "/bin" }).ok).toBe(true);
  });
});

describe("any environment", () => {
  it("does not start with one key in two places: who holds one would hold both", ({ expect }) => {
    const keys = { a: base64Of(1), b: base64Of(2) };
    const ring = (active: keyof typeof keys): string =>
      JSON.stringify({ active, keys: { [active]: keys[active] } });
    const shared = (env: Record<string, unknown>) =>
      fieldsOf(parseConfig({
        ...env,
        ENCRYPTION_KEYRING: ring("a"),
        INDEX_KEYRING: ring("b"),
        // Another id does not make another key.
        ARCHIVE_KEYRING: JSON.stringify({ active: "c", keys: { c: keys.a } }),
      }));
    expect(shared(local)).toEqual(["ARCHIVE_KEYRING", "ENCRYPTION_KEYRING"]);
    expect(shared(production)).toEqual(["ARCHIVE_KEYRING", "ENCRYPTION_KEYRING"]);
    const twice = JSON.stringify({ active: "a", keys: { a: keys.a, b: keys.a } });
    expect(fieldsOf(parseConfig({ ...local, INDEX_KEYRING: twice }))).toEqual(["INDEX_KEYRING"]);
  });

  it("is local at private addresses only", ({ expect }) => {
    for (
      const [host, fields] of [
        ["127.0.0.1:8787", []],
        ["localhost", []],
        ["[::1]:8787", []],
        ["192.168.1.20:8787", []],
        ["172.20.0.3", []],
        ["edge", []],
        ["cagnotte.test", []],
        ["172.32.0.3", ["PUBLIC_URL"]],
        ["1270.0.0.1.example.org", ["PUBLIC_URL"]],
        ["api.cagnotte.fr", ["PUBLIC_URL"]],
        ["localhost.example.org", ["PUBLIC_URL"]],
        ["203.0.113.9", ["PUBLIC_URL"]],
        ["[2001:db8::1]", ["PUBLIC_URL"]],
      ] as const
    ) {
      const config = parseConfig({ ...local, PUBLIC_URL: `http://${host}` });
      expect(fieldsOf(config), host).toEqual(fields);
    }
  });
});

const base64Of = (byte: number): string => Buffer.alloc(32, byte).toString("base64");

describe("production", () => {
  it("starts with the EU jurisdiction and with TLS everywhere", ({ expect }) => {
    expect(fieldsOf(parseConfig(production))).toEqual([]);
  });

  it("does not start without the EU jurisdiction", ({ expect }) => {
    const { JURISDICTION: _missing, ...rest } = production;
    expect(fieldsOf(parseConfig(rest))).toEqual(["JURISDICTION"]);
    expect(fieldsOf(parseConfig({ ...production, JURISDICTION: "" }))).toEqual(["JURISDICTION"]);
  });

  it("does not start with plain HTTP anywhere that data travels", ({ expect }) => {
    for (
      const name of [
        "PUBLIC_URL",
        "POWENS_API_URL",
        "POWENS_WEBVIEW_URL",
        "ACCESS_TEAM_DOMAIN",
        "EMAIL_DELIVERY_URL",
        "REDIRECT_URIS",
        "CORS_ORIGINS",
        "WEBAUTHN_ORIGINS",
      ]
    ) {
      expect(fieldsOf(parseConfig({ ...production, [name]: "http://plain.example" })), name)
        .toEqual([name]);
      expect(fieldsOf(parseConfig({ ...local, [name]: "http://plain.internal" })), name)
        .toEqual([]);
    }
    const issuer = (scheme: string): string =>
      JSON.stringify([{
        issuer: "https://id.example",
        jwks_uri: `${scheme}://id.example/jwks`,
        audience: "a",
      }]);
    expect(fieldsOf(parseConfig({ ...production, AUTH_TRUSTED_ISSUERS: issuer("http") }))).toEqual([
      "AUTH_TRUSTED_ISSUERS",
    ]);
    expect(fieldsOf(parseConfig({ ...production, AUTH_TRUSTED_ISSUERS: issuer("https") }))).toEqual(
      [],
    );
  });

  it("does not start with what is clearly a placeholder, and names it without its value", ({ expect }) => {
    const planted = [
      ["POWENS_API_URL", "https://example.biapi.pro"],
      ["POWENS_API_URL", "https://example.biapi.pro/2.0/"],
      ["POWENS_API_URL", "https://powens.example"],
      ["POWENS_API_URL", "https://api.example.org"],
      ["POWENS_DOMAIN", "example.biapi.pro"],
      ["POWENS_WEBVIEW_URL", "https://webview.invalid/x"],
      ["POWENS_CLIENT_ID", "00000000"],
      ["ACCESS_AUDIENCE", "set-me"],
      ["POWENS_CLIENT_SECRET", "<the client's secret>"],
      ["EMAIL_DELIVERY_TOKEN", "changeme"],
      ["EMAIL_DELIVERY_TOKEN", "your-mail-token"],
    ] as const;
    for (const [name, value] of planted) {
      expect(parseConfig({ ...production, [name]: value }), `${name}=${value}`).toEqual({
        ok: false,
        error: { code: "config_placeholder", fields: [name] },
      });
      expect(parseConfig({ ...local, [name]: value }).ok, `${name} locally`).toBe(true);
    }
    for (const value of ["https://acme-example.biapi.pro", "https://examples.biapi.pro"]) {
      expect(parseConfig({ ...production, POWENS_API_URL: value }).ok).toBe(true);
    }
  });

  it("does not start with a webhook secret of less than 32 random bytes", ({ expect }) => {
    const [hex, base64] = [
      "0123456789abcdef".repeat(4),
      "Zm9vYmFyLWJhei1xdXg_".repeat(3).slice(0, 43),
    ];
    for (
      const [secrets, fields] of [
        [hex, []],
        [base64, []],
        [`${hex},${base64}`, []],
        [hex.slice(1), ["POWENS_WEBHOOK_SECRET"]],
        [base64.slice(1), ["POWENS_WEBHOOK_SECRET"]],
        ["7".repeat(100), ["POWENS_WEBHOOK_SECRET"]],
        ["1234567890".repeat(7), ["POWENS_WEBHOOK_SECRET"]],
        ["ab".repeat(64), ["POWENS_WEBHOOK_SECRET"]],
        [`${hex},short-one`, ["POWENS_WEBHOOK_SECRET"]],
      ] as const
    ) {
      const given = { POWENS_WEBHOOK_SECRET: secrets };
      expect(fieldsOf(parseConfig({ ...production, ...given })), secrets).toEqual(fields);
      expect(fieldsOf(parseConfig({ ...local, ...given })), secrets).toEqual([]);
    }
  });

  it("does not start from the template before it is filled in", async ({ expect }) => {
    const template = await readFile("wrangler.toml", "utf8");
    const [, vars = ""] = template.split("[env.production.vars]");
    const [values = ""] = vars.split(/^\[/m);
    const unfilled = Object.fromEntries(
      [...values.matchAll(/^([A-Z_]+) = "(.*)"$/gm)].map(([, name = "", value]) => [name, value]),
    );
    expect(parseConfig({ ...production, ...unfilled })).toEqual({
      ok: false,
      error: {
        code: "config_placeholder",
        fields: ["ACCESS_AUDIENCE", "POWENS_API_URL", "POWENS_CLIENT_ID", "POWENS_DOMAIN"],
      },
    });
  });

  it("names everything that is unsafe at once", ({ expect }) => {
    expect(fieldsOf(parseConfig({ ...local, ENVIRONMENT: "production" }))).toEqual([
      "ACCESS_TEAM_DOMAIN",
      "CORS_ORIGINS",
      "EMAIL_DELIVERY_URL",
      "JURISDICTION",
      "POWENS_API_URL",
      "POWENS_WEBVIEW_URL",
      "PUBLIC_URL",
      "REDIRECT_URIS",
      "WEBAUTHN_ORIGINS",
    ]);
  });
});
