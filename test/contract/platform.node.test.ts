import { afterAll, test } from "vitest";
import { openTestFiles } from "../support/deno-files.ts";
import { cryptoContract } from "./crypto.ts";
import { passkeyContract } from "./passkey.ts";
import { storesContract } from "./stores.ts";
import { webhookContract } from "./webhook.ts";

const files = openTestFiles();
afterAll(() => files.dispose());
storesContract(test, files.openD1);
cryptoContract(test);
webhookContract(test);
passkeyContract(test);
