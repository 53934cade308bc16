// Deno's entry: the same application over SQLite files on one server. `deno serve src/deno.ts`, or
// run it with PORT set and it listens itself. Settings come from the environment, each read by its
// name, so that --allow-env can list them.
import { configNames } from "./config.ts";
import { openGate } from "./platform/deno/gate.ts";
import { DRAIN_MS_MAX, openPlatform } from "./platform/deno/platform.ts";

const setting = (name: string, fallback: string): string => Deno.env.get(name) ?? fallback;
const whole = (name: string, fallback: number): number => {
  const text = setting(name, String(fallback));
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  return refuse(`the setting ${name} is not a whole number`);
};

function refuse(why: string): never {
  console.error(`cagnotte does not start: ${why}`);
  Deno.exit(1);
}

const dataDir = setting("DATA_DIR", ".data");
const opened = openPlatform({
  dataDir,
  env: Object.fromEntries(
    configNames().flatMap((name) => {
      const value = Deno.env.get(name);
      return value === undefined ? [] : [[name, value]];
    }),
  ),
  migrationsDir: new URL("../migrations", import.meta.url).pathname,
  assetsDir: setting("ASSETS_DIR", new URL("../.build/assets", import.meta.url).pathname),
  limits: { api: whole("RATE_API", 600), auth: whole("RATE_AUTH", 30) },
});
if (!opened.ok) {
  refuse(
    opened.error.code === "config_invalid"
      ? `missing or malformed settings: ${opened.error.fields.join(", ")}`
      : `another process works on the data folder ${dataDir}; one process per folder, because one writer per user is the design`,
  );
}
const { handle, stop } = opened.value;
const gate = openGate({
  handle,
  trustedProxies: new Set(
    setting("TRUSTED_PROXIES", "").split(",").map((item) => item.trim()).filter((item) =>
      item !== ""
    ),
  ),
});

function answer(request: Request, info: Deno.ServeHandlerInfo): Promise<Response> {
  return gate.fetch(request, "hostname" in info.remoteAddr ? info.remoteAddr.hostname : "unknown");
}

export default { fetch: answer };

// `deno serve` brings its own listener and port.
const server = Deno.env.has("PORT")
  ? Deno.serve({
    port: whole("PORT", 8787),
    hostname: setting("HOST", "127.0.0.1"),
    onListen: ({ hostname, port }) => console.log(`listening on ${hostname}:${port}`),
  }, answer)
  : null;

let stopping = false;
async function finish(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await Promise.all([
    gate.close(DRAIN_MS_MAX),
    Promise.race([server?.shutdown(), new Promise((done) => setTimeout(done, DRAIN_MS_MAX))]),
  ]);
  await stop();
  Deno.exit(0);
}
Deno.addSignalListener("SIGTERM", () => void finish());
Deno.addSignalListener("SIGINT", () => void finish());
