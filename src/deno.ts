// Deno's entry: the same application over SQLite files on one server. `deno serve src/deno.ts`, or
// run it with PORT set and it listens itself. Settings come from the environment.
import { configSentence } from "./config.ts";
import { consoleLog } from "./kernel/log.ts";
import { openGate } from "./platform/deno/gate.ts";
import { dataFolderSentence } from "./platform/deno/lock.ts";
import { listenAt, listenSentence } from "./platform/deno/listen.ts";
import { openPlatform } from "./platform/deno/platform.ts";
import { readServerSettings, settingSentence } from "./platform/deno/settings.ts";
import { stopOnSignals } from "./platform/deno/shutdown.ts";

function refuse(why: string): never {
  console.error(`cagnotte does not start: ${why}`);
  Deno.exit(1);
}

const settings = readServerSettings((name) => Deno.env.get(name), {
  migrationsDir: new URL("../migrations", import.meta.url).pathname,
  assetsDir: new URL("../.build/assets", import.meta.url).pathname,
});
if (!settings.ok) {
  refuse(settingSentence(settings.error));
}
const { options, trustedProxies, listen } = settings.value;
const opened = openPlatform(options);
if (!opened.ok) {
  refuse(
    "fields" in opened.error
      ? configSentence(opened.error)
      : dataFolderSentence(opened.error, options.dataDir),
  );
}
const { handle, stop } = opened.value;
const gate = openGate({ handle, trustedProxies, log: consoleLog() });

function answer(request: Request, info: Deno.ServeHandlerInfo): Promise<Response> {
  return gate.fetch(request, "hostname" in info.remoteAddr ? info.remoteAddr.hostname : "unknown");
}

export default { fetch: answer };

const server = listen === null ? null : listenAt(listen, answer);
if (listen !== null && server?.ok === false) {
  await stop();
  refuse(listenSentence(server.error, listen));
}
// An argument and no setting: a service manager gives an empty standard input, and no permission to
// read a variable that it does not know.
const parent = Deno.args.includes("--stop-with-stdin") ? Deno.stdin.readable : null;
stopOnSignals({ gate, server: server?.ok ? server.value : null, stop, parent });
