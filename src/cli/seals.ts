// Seals the rows of a running system that were made before there were seals, and renews seals after
// the index keyring changed: npm run -s seals -- --url https://… The operator's token (role owner)
// comes from OPERATOR_TOKEN. Prints counts by table. A step that fails is tried again; the whole
// may be repeated.
import { parseArgs } from "node:util";
import { operatorCalls } from "./admin-client.ts";
import { readOptions } from "./options.ts";

type Page = {
  readonly table: string;
  readonly sealed: number;
  readonly renewed: number;
  readonly refused: number;
  readonly next_cursor: string | null;
};
type Counts = { sealed: number; renewed: number; refused: number };

const { values } = readOptions(
  "OPERATOR_TOKEN=TOKEN npm run -s seals -- [--url URL]",
  () => parseArgs({ options: { url: { type: "string" } } }),
);
const token = process.env["OPERATOR_TOKEN"];
const url = (values.url ?? `http://127.0.0.1:${process.env["PORT"] ?? "8787"}`).replace(/\/+$/, "");
if (token === undefined || token === "") {
  console.error("OPERATOR_TOKEN is missing: a token of the role owner");
  process.exit(2);
}

async function sealAll(call: ReturnType<typeof operatorCalls>): Promise<Map<string, Counts>> {
  const tables = new Map<string, Counts>();
  let cursor: string | null = null;
  do {
    const page: Page | null = await call<Page>("POST", "", { cursor });
    if (page === null) throw new Error("the server does not know this route");
    const counts = tables.get(page.table) ?? { sealed: 0, renewed: 0, refused: 0 };
    counts.sealed += page.sealed;
    counts.renewed += page.renewed;
    counts.refused += page.refused;
    tables.set(page.table, counts);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return tables;
}

try {
  const tables = await sealAll(operatorCalls(url, "/admin/v1/row-seals", token));
  for (const [table, { sealed, renewed, refused }] of tables) {
    console.log(`${table}: ${sealed} sealed, ${renewed} renewed, ${refused} refused`);
  }
  const refused = [...tables.values()].reduce((sum, counts) => sum + counts.refused, 0);
  if (refused > 0) console.error(`${refused} rows are not used: see row_seal_broken in the log`);
  process.exit(refused === 0 ? 0 : 1);
} catch (error) {
  console.error(error instanceof Error ? error.message : "sealing stopped");
  process.exit(1);
}
