// The contracts on Deno: the very suites that run in Node and in workerd.
import assert from "node:assert/strict";
import { cryptoContract } from "../contract/crypto.ts";
import { ledgerContract } from "../contract/ledger.ts";
import type { ContractTest } from "../contract/ledger.ts";
import { passkeyContract } from "../contract/passkey.ts";
import { storesContract } from "../contract/stores.ts";
import { webhookContract } from "../contract/webhook.ts";
import { openTestFiles } from "../support/deno-files.ts";

const expect = (actual: unknown) => ({
  toEqual: (expected: unknown) => assert.deepStrictEqual(actual, expected),
  toMatchObject: (expected: object) => assert.partialDeepStrictEqual(actual, expected),
});
const files = openTestFiles();
// Files stay open from one test to the next, as in a server.
const test: ContractTest = (name, run) =>
  Deno.test({ name, sanitizeResources: false, fn: () => run({ expect }) });

ledgerContract(test, files.openLedger);
storesContract(test, files.openD1);
cryptoContract(test);
webhookContract(test);
passkeyContract(test);
Deno.test("nothing of the tests is left", () => files.dispose());
