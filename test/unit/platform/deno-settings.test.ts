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
        ENVIRONMENT: "local",
        UNRELATED: "x",
      }),
    ).toMatchObject({
      value: {
        options: {
          dataDir: "/data",
          assetsDir: "/pages",
          env: { ENVIRONMENT: "local" },
          limits: { api: 7, auth: 8 },
        },
        trustedProxies: new Set(["10.0.0.1", "127.0.0.1"]),
        listen: { port: 80, hostname: "0.0.0.0" },
      },
    });
    const application = read({ ENVIRONMENT: "local", UNRELATED: "x" });
    expect(application.ok && application.value.options.env).toEqual({ ENVIRONMENT: "local" });
  });

  test.for([["PORT", ""], ["PORT", "80.5"], ["RATE_API", "0"], ["RATE_AUTH", "-1"]] as const)(
    "%s=%j is refused by its name",
    ([name, value], { expect }) => {
      expect(read({ [name]: value })).toEqual({ ok: false, error: { name } });
    },
  );
});
