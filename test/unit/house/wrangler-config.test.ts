// Production's bindings, as wrangler itself reads them: a named environment inherits none, and
// wrangler only warns about it.
import { readFile } from "node:fs/promises";
import { describe, it } from "vitest";
import { unstable_readConfig as readConfig } from "wrangler";
import { configNames } from "../../../src/config.ts";

// The part of wrangler's normalised configuration that matters here; its own type resolves to any
// outside its repository.
type Config = {
  d1_databases: {
    binding: string;
    database_name?: string;
    database_id?: string;
    migrations_dir?: string;
    jurisdiction?: string;
  }[];
  durable_objects: { bindings: { name: string; class_name: string }[] };
  ratelimits: { name: string; namespace_id: string; simple: { limit: number; period: number } }[];
  assets?: { binding?: string; directory?: string; run_worker_first?: unknown } | undefined;
  triggers: { crons?: string[] };
  migrations: { tag: string; new_sqlite_classes?: string[] }[];
  limits?: { cpu_ms?: number } | undefined;
  placement?: unknown;
  build: { command?: string };
  compatibility_date?: string;
  compatibility_flags: string[];
  minify?: boolean;
  queues: { producers?: unknown[]; consumers?: unknown[] };
  workers_dev?: boolean;
  preview_urls?: boolean;
  observability?: {
    enabled?: boolean;
    redact_query_string?: boolean;
    logs?: { invocation_logs?: boolean };
    traces?: { enabled?: boolean };
  };
  tail_consumers?: unknown[];
  logpush?: boolean;
  services?: unknown[];
  vars: Record<string, unknown>;
  secrets?: { required?: string[] };
};

const read = (env: string): Config =>
  readConfig({ config: "wrangler.toml", env }, { hideWarnings: true }) as Config;
const top = read("");
const production = read("production");
const SECRETS = [
  "AUDIT_SIGNING_KEYS",
  "ARCHIVE_KEYRING",
  "EMAIL_DELIVERY_TOKEN",
  "ENCRYPTION_KEYRING",
  "INDEX_KEYRING",
  "JWT_SIGNING_KEYS",
  "POWENS_CLIENT_SECRET",
  "POWENS_WEBHOOK_SECRET",
].sort();

/**
 * Every binding of an environment with what it leads to, in one spelling that two environments can
 * be compared by.
 */
function bindingsOf(config: Config): string[] {
  return [
    ...config.d1_databases.map(({ binding, database_name: name, migrations_dir: folder }) =>
      `d1 ${binding} ${name} ${folder}`
    ),
    ...config.durable_objects.bindings.map(({ name, class_name: className }) =>
      `object ${name} ${className}`
    ),
    ...config.ratelimits.map(({ name, namespace_id: id, simple }) =>
      `ratelimit ${name} ${id} ${simple.limit}/${simple.period}`
    ),
    `assets ${config.assets?.binding} ${config.assets?.directory} ${
      String(config.assets?.run_worker_first)
    }`,
    ...(config.triggers.crons ?? []).map((cron) => `cron ${cron}`),
    ...config.migrations.map(({ tag, new_sqlite_classes: classes }) =>
      `migration ${tag} ${classes?.join(" ")}`
    ),
    `cpu ${config.limits?.cpu_ms}`,
    `placement ${JSON.stringify(config.placement)}`,
    `build ${config.build.command}`,
    `flags ${config.compatibility_date} ${config.compatibility_flags.join(" ")}`,
    `minify ${config.minify}`,
  ].sort();
}

describe("env.production", () => {
  it("repeats every binding of the top level", ({ expect }) => {
    expect(bindingsOf(production)).toEqual(bindingsOf(top));
    expect(
      bindingsOf(production).filter((line) => /^(?:d1|object|ratelimit) /.test(line)).map((line) =>
        line.split(" ")[1]
      ),
    ).toEqual(["DB", "LEDGER", "OFFER_BUDGET", "STEWARD", "RATE_API", "RATE_AUTH"]);
  });

  it("would not pass with any one of them removed", ({ expect }) => {
    const removals: ((config: Config) => Partial<Config>)[] = [
      () => ({ d1_databases: [] }),
      () => ({ ratelimits: [] }),
      () => ({ triggers: { crons: [] } }),
      () => ({ migrations: [] }),
      () => ({ limits: undefined }),
      () => ({ placement: undefined }),
      () => ({ assets: undefined }),
      ...[0, 1, 2].map((index) => (config: Config) => ({
        durable_objects: { bindings: config.durable_objects.bindings.toSpliced(index, 1) },
      })),
    ];
    for (const [index, removal] of removals.entries()) {
      expect(bindingsOf({ ...production, ...removal(production) }), String(index)).not.toEqual(
        bindingsOf(top),
      );
    }
  });

  it("has no kind of binding that the comparison does not know", ({ expect }) => {
    for (const config of [top, production]) {
      const known = [
        "d1_databases",
        "ratelimits",
        "migrations",
        "compatibility_flags",
        "definedEnvironments",
        "routes",
        "rules",
      ];
      const used = Object.entries(config).filter(([name, value]) =>
        Array.isArray(value) && value.length > 0 && !known.includes(name)
      ).map(([name]) => name);
      expect(used).toEqual([]);
      expect([config.queues.producers?.length, config.queues.consumers?.length]).toEqual([0, 0]);
    }
  });

  it("keeps data in the EU, reachable only under its own domain, and its logs without requests", ({ expect }) => {
    expect(production.d1_databases.map((database) => database.jurisdiction)).toEqual(["eu"]);
    expect(production.vars).toMatchObject({ ENVIRONMENT: "production", JURISDICTION: "eu" });
    for (const config of [top, production]) {
      expect([config.workers_dev, config.preview_urls]).toEqual([false, false]);
      expect(config.observability).toMatchObject({
        enabled: true,
        redact_query_string: true,
        logs: { invocation_logs: false },
      });
      expect(config.observability?.traces?.enabled ?? false).toBe(false);
      expect([config.tail_consumers ?? [], config.logpush ?? false]).toEqual([[], false]);
    }
    expect(production.placement).toEqual({ region: "aws:eu-central-1" });
  });

  it("has no movable clock and no binding to another Worker", ({ expect }) => {
    expect([top.services ?? [], production.services ?? []]).toEqual([[], []]);
    expect(JSON.stringify([top, production])).not.toContain("LOCAL_CLOCK");
  });

  it("requires every secret, and holds none among its variables", ({ expect }) => {
    expect([...(production.secrets?.required ?? [])].sort()).toEqual(SECRETS);
    expect(Object.keys(production.vars).filter((name) => SECRETS.includes(name))).toEqual([]);
  });

  it("sets every variable that the configuration knows, and no other", ({ expect }) => {
    expect(Object.keys(production.vars).sort()).toEqual(
      configNames().filter((name) => !SECRETS.includes(name)).sort(),
    );
  });

  it("has its secrets named as API.md's table does: what the local system generates", async ({ expect }) => {
    const source = await readFile("src/local/settings.ts", "utf8");
    for (const name of SECRETS) expect(source).toContain(`readonly ${name}: string`);
  });

  it("names a database that setup made, never one that a deploy would provision", ({ expect }) => {
    const id = production.d1_databases[0]?.database_id ?? "";
    expect(id).toMatch(
      /^(?:set-by-setup-cloudflare|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/,
    );
    expect(top.d1_databases[0]?.database_id).toBe("00000000-0000-0000-0000-000000000000");
  });
});
