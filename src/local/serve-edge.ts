// The edge in a process of its own, so that it can be killed: node src/local/serve-edge.ts PORT
// SANDBOX_PORT DATA_DIR
import { startEdge } from "./system.ts";
import { settingsFromEnvironment } from "./settings.ts";

const [port, sandboxPort, dataDir = ""] = process.argv.slice(2);
await startEdge({
  port: Number(port),
  sandboxPort: Number(sandboxPort),
  dataDir,
  settings: settingsFromEnvironment(process.env),
});
console.log("edge up");
