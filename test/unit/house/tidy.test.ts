// Rules about the source that no linter of ours knows.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "vitest";

const IMPORT = /(?:from|import)\s*\(?\s*"(\.[^"]+)"/g;
// What erases the proof that a test or a type gives.
const FORBIDDEN = [
  /@ts-ignore/,
  /@ts-expect-error/,
  /@ts-nocheck/,
  /\bas any\b/,
  /\.only\(/,
  /\.skip\(/,
  /\bTODO\b/,
  /\bFIXME\b/,
];

const LINES_MAX = 500;
/** Sentences, word lists and recorded answers: long because there is much of them. */
const DATA = [
  /^src\/texts\//,
  /^src\/recognition\/data\//,
  /^test\/fixtures\//,
];

async function sources(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile() && entry.name.endsWith(".ts")).map((entry) =>
    join(entry.parentPath, entry.name)
  );
}

async function offenders(
  folder: string,
  test: (text: string, path: string) => boolean,
): Promise<string[]> {
  const found: string[] = [];
  for (const path of await sources(folder)) {
    if (test(await readFile(path, "utf8"), path)) found.push(path);
  }
  return found;
}

describe("source files", () => {
  it("import each other with their extension, so that Deno finds them", async ({ expect }) => {
    expect(
      await offenders(
        "src",
        (text) =>
          [...text.matchAll(IMPORT)].some(([, path = ""]) =>
            !path.endsWith(".ts") && !path.endsWith(".json")
          ),
      ),
    ).toEqual([]);
  });

  it("hold nothing that silences a check or marks unfinished work", async ({ expect }) => {
    expect(await offenders("src", (text) => FORBIDDEN.some((pattern) => pattern.test(text))))
      .toEqual([]);
  });

  it("keep entries short", async ({ expect }) => {
    for (const entry of ["src/worker.ts", "src/deno.ts"]) {
      const lines = (await readFile(entry, "utf8").catch(() => "")).split("\n").length;
      expect(lines, entry).toBeLessThan(60);
    }
  });

  it("stay under 500 lines, but for data", async ({ expect }) => {
    const tooLong = (text: string, path: string): boolean =>
      !DATA.some((pattern) => pattern.test(path)) &&
      text.trimEnd().split("\n").length > LINES_MAX;
    expect([...await offenders("src", tooLong), ...await offenders("test", tooLong)]).toEqual([]);
  });

  it("never cut a pre-existing migration: no rebuild, no cascade, every table STRICT", async ({ expect }) => {
    for (const name of (await readdir("migrations")).filter((file) => file.endsWith(".sql"))) {
      const sql = (await readFile(join("migrations", name), "utf8")).replaceAll(/--.*$/gm, "");
      expect(sql, name).not.toMatch(/DROP\s+TABLE|__new_|ON\s+DELETE\s+(CASCADE|SET)/i);
      for (const [table] of sql.matchAll(/CREATE TABLE[^;]+;/g)) {
        expect(table, name).toMatch(/\)\s*STRICT/);
      }
    }
  });
});

describe("the lock file", () => {
  // npm drops an optional package that the registry does not have for its platform, and `npm ci`
  // then refuses the whole file.
  it("names every optional package with its version, so that npm ci works on a fresh machine", async ({ expect }) => {
    type Package = { version?: string; optionalDependencies?: Record<string, string> };
    const { packages } = JSON.parse(await readFile("package-lock.json", "utf8")) as {
      packages: Record<string, Package>;
    };
    const missing: string[] = [];
    for (const [path, { optionalDependencies = {} }] of Object.entries(packages)) {
      for (const name of Object.keys(optionalDependencies)) {
        const found = packages[`${path}/node_modules/${name}`] ??
          packages[`node_modules/${name}`] ??
          packages[`${path.replace(/\/node_modules\/[^/]+$/, "")}/node_modules/${name}`];
        if (found?.version === undefined) missing.push(name);
      }
    }
    expect(missing).toEqual([]);
  });

  it("has the hash of every package, so that npm ci refuses another content", async ({ expect }) => {
    const { packages } = JSON.parse(await readFile("package-lock.json", "utf8")) as {
      packages: Record<string, { integrity?: string }>;
    };
    const without = Object.entries(packages).filter(([path, { integrity }]) =>
      path !== "" && !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? "")
    );
    expect(without.map(([path]) => path)).toEqual([]);
  });
});
