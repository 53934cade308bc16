// `npm run -s import:nsi [-- --explicit] > brands.json`: the brands of France out of the npm
// package "name-suggestion-index", in the shape of a brands file, as an optional start for an
// operator's catalogue.

import { readFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { brandsFromIndex } from "../recognition/brand-index.ts";
import { readOptions } from "./options.ts";

const USAGE = "npm run -s import:nsi -- [--file nsi.json] [--explicit] > brands.json";
const { values } = readOptions(
  USAGE,
  () =>
    parseArgs({
      options: { file: { type: "string" }, explicit: { type: "boolean", default: false } },
    }),
);
const file = values.file ??
  new URL("../../node_modules/name-suggestion-index/dist/json/nsi.json", import.meta.url);
const brands = brandsFromIndex(parsed(), { explicitOnly: values.explicit });

/** The index, or nothing that a brand could be found in. */
function parsed(): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as unknown;
  } catch {
    return null;
  }
}

if (brands.length === 0) {
  console.error("no brand found: is this name-suggestion-index's dist/json/nsi.json?");
  process.exitCode = 1;
} else {
  process.stdout.write(`${JSON.stringify(brands, null, 1)}\n`);
  console.error(
    `${String(brands.length)} brands, ${
      String(brands.filter((brand) => brand.wikidata !== undefined).length)
    } with a Wikidata id`,
  );
}
