import { describe, test } from "vitest";
import { readServerSettings } from "../../../src/platform/deno/settings.ts";

const read = (settings: Readonly<Record<string, string>>) =>
  readServerSettings((name) => settings[name], {
    migrationsDir: "/app/migrations",
    assetsDir: "/app/assets",
  });

describe("the settings of a Deno server", () => {
  test("have defaults, and without PORT it does not listen itself", ({ expect }) => {
    expect(read({})).toEqual({
      ok: true,
      value: {
        options: {
          dataDir: ".data",
          migrationsDir: "/app/migrations",
          assetsDir: "/app/assets",
          env: {},
          limits: { api: 600, auth: 30 },
        },
        trustedProxies: new Set(),
        listen: null,
      },
    });
  });

  test("are read by their names, the application's and no others", ({ expect }) => {
    expect(
      read({
        PORT: "80",
        HOST: "0.0.0.0",
        DATA_DIR: "/data",
        ASSETS_DIR: "/pages",
        TRUSTED_PROXIES: " 10.0.0.1,,127.0.0.1 ",
        RATE_API: "7",
        RATE_AUTH: "8",
        ENVIRONMENT: "production",
        UNRELATED: "x",
      }),
    ).toMatchObject({
      value: {
        options: {
          dataDir: "/data",
          assetsDir: "/pages",
          env: { ENVIRONMENT: "production" },
          limits: { api: 7, auth: 8 },
        },
        trustedProxies: new Set(["10.0.0.1", "127.0.0.1"]),
        listen: { port: 80, hostname: "0.0.0.0" },
      },
    });
    const application = read({ ENVIRONMENT: "local", UNRELATED: "x" });
    expect(application.ok && application.value.options.env).toEqual({ ENVIRONMENT: "local" });
  });

  test("keep the local system on this machine, and production behind a proxy that is named", ({ expect }) => {
    const refused = (settings: Readonly<Record<string, string>>): string | null => {
      const result = read(settings);
      return result.ok ? null : result.error.name;
    };
    for (const HOST of ["0.0.0.0", "::", "192.0.2.1"]) {
      expect(refused({ ENVIRONMENT: "local", HOST }), HOST).toBe("HOST");
      expect(refused({ ENVIRONMENT: "production", TRUSTED_PROXIES: "10.0.0.1", HOST })).toBeNull();
    }
    for (const HOST of ["127.0.0.1", "::1", "localhost"]) {
      expect(refused({ ENVIRONMENT: "local", HOST }), HOST).toBeNull();
    }
    expect(refused({ ENVIRONMENT: "local" })).toBeNull();
    expect(refused({ ENVIRONMENT: "production" })).toBe("TRUSTED_PROXIES");
    for (const TRUSTED_PROXIES of ["10.0.0.1:443", "10.0.0.0/8", "proxy", "10.0.0.1,x"]) {
      expect(refused({ TRUSTED_PROXIES }), TRUSTED_PROXIES).toBe("TRUSTED_PROXIES");
    }
    expect(refused({ TRUSTED_PROXIES: "10.0.0.1,2001:DB8::1" })).toBeNull();
  });

  test.for([["PORT", ""], ["PORT", "80.5"], ["RATE_API", "0"], ["RATE_AUTH", "-1"]] as const)(
    "%s=%j is refused by its name",
    ([name, value], { expect }) => {
      expect(read({ [name]: value })).toEqual({ ok: false, error: { name } });
    },
  );
});
