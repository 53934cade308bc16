// `node src/cli/import-communes.ts > src/recognition/data/communes.ts`: the communes of
// metropolitan France as compact data. Source: INSEE's Code officiel géographique as published by
// Etalab in "@etalab/decoupage-administratif" (package MIT, data Licence Ouverte 2.0).

import { readFileSync } from "node:fs";
import process from "node:process";
import { fold, wordFlags } from "../recognition/scan.ts";
import { TOWNS } from "../recognition/data/towns.ts";

const SHORTEST_NAME = 5;
const source = new URL(
  "../../node_modules/@etalab/decoupage-administratif/data/communes.json",
  import.meta.url,
);

function nameOf(row: unknown): string | null {
  if (typeof row !== "object" || row === null) return null;
  const { nom, zone } = row as { readonly nom?: unknown; readonly zone?: unknown };
  if (typeof nom !== "string" || zone !== "metro") return null;
  return (fold(nom).match(/[A-Z]+/g) ?? []).map((word) =>
    word === "SAINT" ? "ST" : word === "SAINTE" ? "STE" : word
  ).join(" ");
}

const rows: unknown = JSON.parse(readFileSync(source, "utf8"));
const towns = new Set(TOWNS);
const names = new Set<string>();
for (const row of Array.isArray(rows) ? rows as unknown[] : []) {
  const name = nameOf(row);
  // A short name, or one that is a word of its own (BARS, LA FERME), says too little on a label.
  if (name === null || name.length < SHORTEST_NAME || towns.has(name)) continue;
  const telling = name.split(" ").some((word) => word.length > 2 && wordFlags(word) === 0);
  if (telling) names.add(name);
}

/** Sorted names share their beginnings: one letter for the shared length (A = 0), then the rest. */
let before = "";
let text = "";
for (const name of [...names].sort()) {
  let shared = 0;
  while (shared < 25 && before[shared] !== undefined && before[shared] === name[shared]) {
    shared += 1;
  }
  text += `|${String.fromCharCode(65 + shared)}${name.slice(shared)}`;
  before = name;
}
const lines = (text.slice(1).match(/.{1,92}/gs) ?? []).map((line) => `  "${line}"`);
process.stdout.write(
  `// Smaller communes of metropolitan France beside towns.ts, sorted and front-coded: after each bar one
// letter says how many characters the name shares with the one before (A = 0). Made by
// src/cli/import-communes.ts from "@etalab/decoupage-administratif" 6.0.0: INSEE's Code officiel
// géographique, Licence Ouverte 2.0. Data only.

const COMMUNES_FRONT_CODED =
${lines.join(" +\n")};
`,
);
