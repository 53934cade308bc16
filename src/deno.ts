// Deno's entry: the same application over SQLite files on one server. `deno serve src/deno.ts`, or
// run it with PORT set and it listens itself. Settings come from the environment.
import { openGate } from "./platform/deno/gate.ts";
import { openPlatform } from "./platform/deno/platform.ts";
import { readServerSettings } from "./platform/deno/settings.ts";
import { stopOnSignals } from "./platform/deno/shutdown.ts";

function refuse(why: string): never {
  console.error(`cagnotte does not start: ${why}`);
  Deno.exit(1);
}

const settings = readServerSettings((name) => Deno.env.get(name), {
  migrationsDir: new URL("../migrations", import.meta.url).pathname,
  assetsDir: new URL("../.build/assets", import.meta.url).pathname,
});
if (!settings.ok) refuse(`the setting ${settings.error.name} is not a whole number`);
const { options, trustedProxies, listen } = settings.value;
const opened = openPlatform(options);
if (!opened.ok) {
  refuse(
    opened.error.code === "config_invalid"
      ? `missing or malformed settings: ${opened.error.fields.join(", ")}`
      : `another process works on the data folder ${options.dataDir}; one process per folder, because one writer per user is the design`,
  );
}
const { handle, stop } = opened.value;
const gate = openGate({ handle, trustedProxies });

function answer(request: Request, info: Deno.ServeHandlerInfo): Promise<Response> {
  return gate.fetch(request, "hostname" in info.remoteAddr ? info.remoteAddr.hostname : "unknown");
}

export default { fetch: answer };

const server = listen === null ? null : Deno.serve({
  ...listen,
  onListen: ({ hostname, port }) => console.log(`listening on ${hostname}:${port}`),
}, answer);
stopOnSignals({ gate, server, stop });
