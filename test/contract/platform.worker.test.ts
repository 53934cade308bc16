import { env } from "cloudflare:workers";
import { test } from "vitest";
import type { Environment } from "../../src/platform/cloudflare/environment.ts";
import { cryptoContract } from "./crypto.ts";
import { passkeyContract } from "./passkey.ts";
import { storesContract } from "./stores.ts";
import { webhookContract } from "./webhook.ts";

const { DB } = env as unknown as Environment;
storesContract(test, async () => DB);
cryptoContract(test);
webhookContract(test);
passkeyContract(test);
