// What can be wrong before a start, each found before anything is built or opened and said in one
// sentence: a stack of a runtime three layers down says nothing to who mistyped a port.
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { configSentence, parseConfig } from "../config.ts";
import { err, ok } from "../kernel/result.ts";
import type { Result } from "../kernel/result.ts";
import { dataFolderSentence } from "../platform/deno/lock.ts";
import { localSecrets } from "./data-folder.ts";
import { takeFolder } from "./guarded-folder.ts";
import type { GuardedFolder } from "./guarded-folder.ts";
import { localSettings, settingsFromEnvironment } from "./settings.ts";
import type { LocalOptions } from "./system.ts";

type Environment = Readonly<Record<string, string | undefined>>;
/** `folder`: two systems on one folder would be two writers. */
type CheckedStart = { readonly options: LocalOptions; readonly folder: GuardedFolder };

const HOST = "127.0.0.1";
const PORT_MAX = 65_535;

/** Reads and tries everything that a start needs. The error is a sentence for who started it. */
export async function checkStart(
  env: Environment,
  defaultDataDir: string,
): Promise<Result<CheckedStart, string>> {
  const ports = readPorts(env);
  if (!ports.ok) return ports;
  const dataDir = env["DATA_DIR"] === undefined || env["DATA_DIR"] === ""
    ? defaultDataDir
    : env["DATA_DIR"];
  // The sandbox's folder and not the whole: it is ours alone, so its mode may be changed; and the
  // edge on Deno locks its own.
  const folder = await takeFolder(join(resolve(dataDir), "sandbox"));
  if (!folder.ok) return err(dataFolderSentence(folder.error, dataDir));
  const options = { ...ports.value, dataDir, settings: settingsFromEnvironment(env) };
  const wrong = (await settingsProblem(options)) ?? (await portProblem("PORT", options.port)) ??
    (await portProblem("SANDBOX_PORT", options.sandboxPort));
  if (wrong === null) return ok({ options, folder: folder.value });
  await folder.value.release();
  return err(wrong);
}

function readPorts(
  env: Environment,
): Result<{ readonly port: number; readonly sandboxPort: number }, string> {
  const [port, sandboxPort] = [
    portIn(env["PORT"] ?? "8787"),
    portIn(env["SANDBOX_PORT"] ?? "8788"),
  ];
  if (port === null) return err(`PORT is not a port, a whole number from 1 to ${PORT_MAX}`);
  if (sandboxPort === null) {
    return err(`SANDBOX_PORT is not a port, a whole number from 1 to ${PORT_MAX}`);
  }
  return port === sandboxPort
    ? err(`PORT and SANDBOX_PORT are both ${port}; the two need a port each`)
    : ok({ port, sandboxPort });
}

function portIn(text: string): number | null {
  return /^[1-9]\d{0,4}$/.test(text) && Number(text) <= PORT_MAX ? Number(text) : null;
}

async function settingsProblem(options: LocalOptions): Promise<string | null> {
  const { ACCESS_SIGNING_KEY: _theSandboxes, ...secrets } = await localSecrets(options.dataDir);
  const config = parseConfig({
    ...localSettings(`http://${HOST}:${options.port}`, `http://${HOST}:${options.sandboxPort}`),
    ...secrets,
    ...options.settings,
  });
  if (!config.ok) return configSentence(config.error);
  return config.value.environment === "local"
    ? null
    : "this is the local system, with a movable clock; ENVIRONMENT=production is for a deployment";
}

async function portProblem(name: string, port: number): Promise<string | null> {
  const code = await new Promise<string | null>((done) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => done(error.code ?? error.name));
    server.listen(port, HOST, () => server.close(() => done(null)));
  });
  if (code === null) return null;
  if (code === "EADDRINUSE") return `port ${port} is taken; choose another with ${name}=`;
  return code === "EACCES"
    ? `port ${port} is not open to this user; choose another with ${name}=`
    : `port ${port} cannot be opened (${code}); choose another with ${name}=`;
}
