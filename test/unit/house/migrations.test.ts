// What the platform refuses in a migration. `d1 migrations apply --remote` splits the file on its
// server, and bodies of triggers over several lines have failed there with "incomplete input"
// (workers-sdk issues 4998, 15314, 15690), while every local run accepts them.
import { readdir, readFile } from "node:fs/promises";
import { describe, it } from "vitest";

/** What is wrong with a migration's text, in words; empty when the platform takes it. */
function problems(sql: string): string[] {
  const found: string[] = [];
  if (sql.includes("\r")) found.push("has a carriage return");
  if (!sql.endsWith("\n")) found.push("does not end with a newline");
  for (const line of sql.split("\n")) {
    if (/^\s*CREATE\s+TRIGGER/i.test(line) && !/\bBEGIN\b.*\bEND;\s*$/i.test(line)) {
      found.push(`trigger over several lines: ${line.slice(0, 60)}`);
    }
  }
  // D1 wraps a migration itself and refuses these.
  if (
    /^\s*(?:BEGIN\s+TRANSACTION|BEGIN;|COMMIT|SAVEPOINT|PRAGMA\s+journal_mode|ATTACH)/im.test(sql)
  ) {
    found.push("has a statement that D1 refuses");
  }
  return found;
}

describe("migrations", () => {
  it("hold nothing that the platform refuses", async ({ expect }) => {
    const names = (await readdir("migrations")).filter((name) => name.endsWith(".sql")).sort();
    expect(names.length).toBeGreaterThan(8);
    for (const name of names) {
      expect(name, "a number of four digits, then what it is about").toMatch(
        /^\d{4}_[a-z_]+\.sql$/,
      );
      expect(problems(await readFile(`migrations/${name}`, "utf8")), name).toEqual([]);
    }
  });

  it.for(
    [
      ["a carriage return", "CREATE TABLE a (b TEXT) STRICT;\r\n"],
      ["a trigger over two lines", "CREATE TRIGGER a BEFORE UPDATE ON b\nBEGIN SELECT 1; END;\n"],
      [
        "a trigger whose end is on another line",
        "CREATE TRIGGER a BEFORE UPDATE ON b BEGIN SELECT 1;\nEND;\n",
      ],
      ["a transaction of its own", "BEGIN TRANSACTION;\nSELECT 1;\nCOMMIT;\n"],
      ["no newline at the end", "SELECT 1;"],
    ] as const,
  )("would be refused with %s", ([, sql], { expect }) => {
    expect(problems(sql)).not.toEqual([]);
  });
});
