// Proves that the linter refuses what DESIGN.md section 5 forbids: a layout kept by prose alone
// drifts.
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";

let root = "";

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "cagnotte-layers-"));
  await cp(".oxlintrc.json", join(root, ".oxlintrc.json"));
  await symlink(resolve("node_modules"), join(root, "node_modules"));
});
afterAll(async () => rm(root, { recursive: true, force: true }));

async function lint(
  files: Readonly<Record<string, string>>,
): Promise<{ code: number; output: string }> {
  await rm(join(root, "src"), { recursive: true, force: true });
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return new Promise((done) => {
    execFile(
      process.execPath,
      [resolve("node_modules/oxlint/bin/oxlint"), "src"],
      { cwd: root },
      (error, stdout, stderr) => {
        done({ code: error === null ? 0 : 1, output: stdout + stderr });
      },
    );
  });
}

const FORBIDDEN: readonly [name: string, path: string, text: string, rule: string][] = [
  [
    "kernel importing a domain",
    "src/kernel/a.ts",
    'import { b } from "../identity/user.ts";\nexport const a: unknown = b;\n',
    "no-restricted-imports",
  ],
  [
    "hono outside routes",
    "src/identity/service/index.ts",
    'import { Hono } from "hono";\nexport const a: unknown = Hono;\n',
    "no-restricted-imports",
  ],
  [
    "drizzle outside stores",
    "src/identity/service/index.ts",
    'import { eq } from "drizzle-orm";\nexport const a: unknown = eq;\n',
    "no-restricted-imports",
  ],
  [
    "drizzle in routes",
    "src/identity/routes/index.ts",
    'import { eq } from "drizzle-orm";\nexport const a: unknown = eq;\n',
    "no-restricted-imports",
  ],
  [
    "cloudflare in a domain",
    "src/banking/service.ts",
    'import { env } from "cloudflare:workers";\nexport const a: unknown = env;\n',
    "no-restricted-imports",
  ],
  [
    "another domain's store",
    "src/banking/service.ts",
    'import { x } from "../identity/store/index.ts";\nexport const a: unknown = x;\n',
    "no-restricted-imports",
  ],
  [
    "another domain's service from routes",
    "src/banking/routes.ts",
    'import { x } from "../identity/service/index.ts";\nexport const a: unknown = x;\n',
    "no-restricted-imports",
  ],
  [
    "another domain's routes from a store",
    "src/banking/store.ts",
    'import { x } from "../identity/routes/index.ts";\nexport const a: unknown = x;\n',
    "no-restricted-imports",
  ],
  [
    "node in the core",
    "src/ledger/engine.ts",
    'import { readFileSync } from "node:fs";\nexport const a: unknown = readFileSync;\n',
    "no-restricted-imports",
  ],
  [
    "Deno in the core",
    "src/ledger/engine.ts",
    "export const a: unknown = Deno.version;\n",
    "no-restricted-globals",
  ],
  ["a default export", "src/ledger/engine.ts", "export default 1;\n", "no-default-export"],
  ["any", "src/ledger/engine.ts", "export const a: any = 1;\n", "no-explicit-any"],
];

describe("the linter refuses", () => {
  for (const [name, path, text, rule] of FORBIDDEN) {
    it(name, async ({ expect }) => {
      const { code, output } = await lint({ [path]: text });
      expect(output).toContain(rule);
      expect(code).toBe(1);
    });
  }

  it("a cycle", async ({ expect }) => {
    const { code, output } = await lint({
      "src/ledger/a.ts": 'import { b } from "./b.ts";\nexport const a: unknown = () => b;\n',
      "src/ledger/b.ts": 'import { a } from "./a.ts";\nexport const b: unknown = () => a;\n',
    });
    expect(output).toContain("no-cycle");
    expect(code).toBe(1);
  });

  it("nothing of a file that keeps to its layer", async ({ expect }) => {
    const { code, output } = await lint({
      "src/kernel/a.ts": "export const a = 1;\n",
      "src/identity/ports.ts": 'import { a } from "../kernel/a.ts";\nexport const p = a;\n',
      "src/banking/service.ts": 'import { p } from "../identity/ports.ts";\nexport const s = p;\n',
    });
    expect(output).not.toContain("no-restricted");
    expect(code).toBe(0);
  });
});
