// The settings of a Deno server. Each is read by its name, so that --allow-env can list them.
import { configNames } from "../../config.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { parseAddress } from "./gate.ts";
import type { ServerOptions } from "./platform.ts";

type Read = (name: string) => string | undefined;

type ServerSettings = {
  readonly options: ServerOptions;
  readonly trustedProxies: ReadonlySet<string>;
  /** Null without `PORT`: `deno serve` brings its own listener. */
  readonly listen: { readonly port: number; readonly hostname: string } | null;
};

const PORT_MAX = 65_535;
const LOOPBACK = ["127.0.0.1", "::1", "localhost"];

type SettingError = {
  readonly name: "PORT" | "RATE_API" | "RATE_AUTH" | "TRUSTED_PROXIES" | "HOST";
};

/** Fails with the name of a setting that cannot be used, alone or with `ENVIRONMENT`. */
export function readServerSettings(
  read: Read,
  folders: { readonly migrationsDir: string; readonly assetsDir: string },
): Result<ServerSettings, SettingError> {
  const [port, api, auth] = [
    wholeNumber(read("PORT") ?? "8787"),
    wholeNumber(read("RATE_API") ?? "600"),
    wholeNumber(read("RATE_AUTH") ?? "30"),
  ];
  if (port === null || port > PORT_MAX) return err({ name: "PORT" });
  if (api === null) return err({ name: "RATE_API" });
  if (auth === null) return err({ name: "RATE_AUTH" });
  const trustedProxies = proxies(read("TRUSTED_PROXIES") ?? "");
  // Behind a proxy that is not named, all callers have its address and share one limit; and TLS
  // needs a proxy.
  if (
    trustedProxies === null || (read("ENVIRONMENT") === "production" && trustedProxies.size === 0)
  ) {
    return err({ name: "TRUSTED_PROXIES" });
  }
  const hostname = read("HOST") ?? "127.0.0.1";
  // The local system has a movable clock and a bank that obeys everybody.
  if (read("ENVIRONMENT") === "local" && !LOOPBACK.includes(hostname)) {
    return err({ name: "HOST" });
  }
  return ok({
    options: {
      dataDir: read("DATA_DIR") ?? ".data",
      migrationsDir: folders.migrationsDir,
      assetsDir: read("ASSETS_DIR") ?? folders.assetsDir,
      env: applicationSettings(read),
      limits: { api, auth },
    },
    trustedProxies,
    listen: read("PORT") === undefined ? null : { port, hostname },
  });
}

/** One sentence for the operator who started the process. */
export function settingSentence({ name }: SettingError): string {
  switch (name) {
    case "PORT":
      return `the setting PORT is not a port, a whole number from 1 to ${PORT_MAX}`;
    case "TRUSTED_PROXIES":
      return "the setting TRUSTED_PROXIES must list the addresses of the reverse proxies, without ports; in production at least one";
    case "HOST":
      return "the setting HOST must be a loopback address while ENVIRONMENT is local";
    case "RATE_API":
    case "RATE_AUTH":
      return `the setting ${name} is not a whole number`;
  }
}

function wholeNumber(text: string): number | null {
  return /^[1-9]\d{0,6}$/.test(text) ? Number(text) : null;
}

/** Null when an item is no address; one with a port would never be met. */
function proxies(text: string): ReadonlySet<string> | null {
  const items = text.split(",").map((item) => item.trim()).filter((item) => item !== "");
  return items.every((item) => parseAddress(item) === item.toLowerCase())
    ? new Set(items.map((item) => item.toLowerCase()))
    : null;
}

function applicationSettings(read: Read): Readonly<Record<string, string>> {
  return Object.fromEntries(
    configNames().flatMap((name) => {
      const value = read(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
