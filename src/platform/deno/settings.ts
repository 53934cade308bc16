// The settings of a Deno server. Each is read by its name, so that --allow-env can list them.
import { configNames } from "../../config.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import type { ServerOptions } from "./platform.ts";

type Read = (name: string) => string | undefined;

type ServerSettings = {
  readonly options: ServerOptions;
  readonly trustedProxies: ReadonlySet<string>;
  /** Null without `PORT`: `deno serve` brings its own listener. */
  readonly listen: { readonly port: number; readonly hostname: string } | null;
};

const PORT_MAX = 65_535;

/** Fails with the name of a setting that is not a whole number, or no port. */
export function readServerSettings(
  read: Read,
  folders: { readonly migrationsDir: string; readonly assetsDir: string },
): Result<ServerSettings, { readonly name: string }> {
  const [port, api, auth] = [
    wholeNumber(read("PORT") ?? "8787"),
    wholeNumber(read("RATE_API") ?? "600"),
    wholeNumber(read("RATE_AUTH") ?? "30"),
  ];
  if (port === null || port > PORT_MAX) return err({ name: "PORT" });
  if (api === null) return err({ name: "RATE_API" });
  if (auth === null) return err({ name: "RATE_AUTH" });
  return ok({
    options: {
      dataDir: read("DATA_DIR") ?? ".data",
      migrationsDir: folders.migrationsDir,
      assetsDir: read("ASSETS_DIR") ?? folders.assetsDir,
      env: applicationSettings(read),
      limits: { api, auth },
    },
    trustedProxies: addresses(read("TRUSTED_PROXIES") ?? ""),
    listen: read("PORT") === undefined ? null : { port, hostname: read("HOST") ?? "127.0.0.1" },
  });
}

/** One sentence for the operator who started the process. */
export function settingSentence({ name }: { readonly name: string }): string {
  return name === "PORT"
    ? `the setting PORT is not a port, a whole number from 1 to ${PORT_MAX}`
    : `the setting ${name} is not a whole number`;
}

function wholeNumber(text: string): number | null {
  return /^[1-9]\d{0,6}$/.test(text) ? Number(text) : null;
}

function addresses(text: string): ReadonlySet<string> {
  return new Set(text.split(",").map((item) => item.trim()).filter((item) => item !== ""));
}

function applicationSettings(read: Read): Readonly<Record<string, string>> {
  return Object.fromEntries(
    configNames().flatMap((name) => {
      const value = read(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
