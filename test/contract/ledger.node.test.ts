import { afterAll, test } from "vitest";
import { openTestFiles } from "../support/deno-files.ts";
import { ledgerContract } from "./ledger.ts";

const files = openTestFiles();
afterAll(() => files.dispose());
ledgerContract(test, files.openLedger);
