// The edge in a process of its own, so that it can be killed: node test/support/serve-edge.ts PORT
// SANDBOX_PORT DATA_DIR
import { startEdge } from "./local.ts";
import { settingsFromEnvironment } from "./secrets.ts";

const [port, sandboxPort, dataDir = ""] = process.argv.slice(2);
await startEdge({
  port: Number(port),
  sandboxPort: Number(sandboxPort),
  dataDir,
  settings: settingsFromEnvironment(process.env),
});
console.log("edge up");
