// The edge on Deno in a process of its own, so that it can be killed: node
// src/local/serve-deno.ts PORT SANDBOX_PORT DATA_DIR
import { spawnDenoEdge, untilUp } from "./deno-edge.ts";
import { settingsFromEnvironment } from "./settings.ts";

const [port, sandboxPort, dataDir = ""] = process.argv.slice(2);
// Not detached: a SIGKILL of this process's group reaches Deno too.
const edge = await spawnDenoEdge({
  port: Number(port),
  sandboxPort: Number(sandboxPort),
  dataDir,
  settings: settingsFromEnvironment(process.env),
});
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => void edge.kill(signal));
}
edge.on("exit", (code) => process.exit(code ?? 1));
await untilUp(`http://127.0.0.1:${port}`, edge);
console.log("edge up");
