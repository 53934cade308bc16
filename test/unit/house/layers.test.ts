// Proves that the linter and the structure check refuse what DESIGN.md section 5 forbids: a layout
// kept by prose alone drifts. Every rule has a planted violation, in sub-folders too.
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { readSource, type SourceFile } from "../../checks/import-graph.ts";
import { structureFindings } from "../../checks/structure.ts";

type Diagnostic = { readonly code: string; readonly help?: string; readonly filename: string };
type Planted = { readonly name: string; readonly path: string; readonly text: string };

const IMPORTS = "no-restricted-imports";

function importing(path: string, specifier: string): Planted {
  // A name of its own: some files hold several violations.
  const local = `a${specifier.replaceAll(/\W+/g, "_")}`;
  return {
    name: `${specifier} in ${path}`,
    path,
    text: `import { a as ${local} } from "${specifier}";\nvoid ${local};\n`,
  };
}

/** Each violation with the message of the rule that must refuse it. */
const FORBIDDEN_IMPORTS: readonly [message: RegExp, violations: readonly Planted[]][] = [
  [/kernel imports nothing of ours/, [
    importing("src/kernel/a.ts", "../identity/ports.ts"),
    importing("src/kernel/b.ts", "../db/database.ts"),
  ]],
  [/kernel is portable/, [importing("src/kernel/c.ts", "hono")]],
  [/texts import kernel only/, [
    importing("src/texts/a.ts", "../http/problem.ts"),
    importing("src/texts/mails/b.ts", "../../identity/ports.ts"),
  ]],
  [/texts are pure/, [importing("src/texts/c.ts", "drizzle-orm")]],
  [/db imports kernel only/, [
    importing("src/db/a.ts", "../http/problem.ts"),
    importing("src/db/b.ts", "../identity/ports.ts"),
    importing("src/db/c.ts", "../config.ts"),
  ]],
  [/http imports kernel, texts, config and db only/, [
    importing("src/http/a.ts", "../audit/ports.ts"),
    importing("src/http/b.ts", "../identity/ports.ts"),
    importing("src/http/c-store.ts", "../ledger/ports.ts"),
    importing("src/http/d.ts", "../app.ts"),
  ]],
  [/audit imports kernel, db and http only/, [
    importing("src/audit/event.ts", "../identity/ports.ts"),
    importing("src/audit/store.ts", "../ledger/ports.ts"),
    importing("src/audit/audited-call.ts", "../platform/compose/index.ts"),
  ]],
  [/only routes\.ts, routes\/, http\/ and app\.ts import hono/, [
    importing("src/identity/hono-service.ts", "hono"),
    importing("src/ledger/book/hono.ts", "@hono/zod-openapi"),
    importing("src/banking/store/hono.ts", "hono"),
    importing("src/db/hono.ts", "hono"),
    importing("src/audit/hono.ts", "hono"),
    importing("src/config.ts", "hono"),
    importing("src/platform/hono.ts", "hono/cors"),
    importing("src/platform/deno/hono.ts", "hono"),
    importing("src/worker.ts", "hono"),
    importing("src/deno.ts", "hono"),
    importing("src/http/hono-store.ts", "hono"),
    importing("src/audit/store.ts", "hono"),
    importing("src/platform/cloudflare/hono.ts", "hono"),
  ]],
  [/only store\.ts, store\/ and db\/ import drizzle-orm/, [
    importing("src/identity/drizzle-service.ts", "drizzle-orm"),
    importing("src/identity/routes.ts", "drizzle-orm"),
    importing("src/banking/routes/drizzle.ts", "drizzle-orm"),
    importing("src/ledger/points/drizzle.ts", "drizzle-orm/sqlite-core"),
    importing("src/http/drizzle.ts", "drizzle-orm"),
    importing("src/audit/drizzle.ts", "drizzle-orm"),
    importing("src/app.ts", "drizzle-orm"),
    importing("src/config.ts", "drizzle-orm"),
    importing("src/audit/audited-call.ts", "drizzle-orm"),
    importing("src/worker.ts", "drizzle-orm"),
    importing("src/deno.ts", "drizzle-orm"),
    importing("src/platform/drizzle.ts", "drizzle-orm"),
    importing("src/platform/local-clock/drizzle.ts", "drizzle-orm"),
    importing("src/platform/deno/drizzle.ts", "drizzle-orm"),
    importing("src/platform/cloudflare/drizzle.ts", "drizzle-orm"),
  ]],
  [/only worker\.ts and platform\/cloudflare\/ import cloudflare:/, [
    importing("src/banking/cloudflare-service.ts", "cloudflare:workers"),
    importing("src/ledger/object/cloudflare.ts", "cloudflare:workers"),
    importing("src/ledger/routes/cloudflare.ts", "cloudflare:workers"),
    importing("src/banking/store/cloudflare.ts", "cloudflare:workers"),
    importing("src/http/cloudflare.ts", "cloudflare:workers"),
    importing("src/platform/deno/cloudflare.ts", "cloudflare:workers"),
    importing("src/platform/cloudflare.ts", "cloudflare:workers"),
    importing("src/cli/cloudflare.ts", "cloudflare:workers"),
    importing("src/app.ts", "cloudflare:workers"),
    importing("src/config.ts", "cloudflare:workers"),
    importing("src/deno.ts", "cloudflare:workers"),
    importing("src/db/cloudflare.ts", "cloudflare:workers"),
    importing("src/http/cloudflare-store.ts", "cloudflare:workers"),
    importing("src/audit/cloudflare.ts", "cloudflare:workers"),
    importing("src/audit/store.ts", "cloudflare:workers"),
    importing("src/audit/audited-call.ts", "cloudflare:workers"),
    importing("src/platform/local-clock/cloudflare.ts", "cloudflare:workers"),
  ]],
  [/the core uses web standards only/, [
    importing("src/ledger/node.ts", "node:fs"),
    importing("src/ledger/book/node.ts", "node:crypto"),
    importing("src/ledger/routes/node.ts", "node:fs"),
    importing("src/banking/store/node.ts", "node:sqlite"),
    importing("src/http/node.ts", "node:fs"),
    importing("src/platform/cloudflare/node.ts", "node:fs"),
    importing("src/app.ts", "node:fs"),
    importing("src/config.ts", "node:fs"),
    importing("src/worker.ts", "node:fs"),
    importing("src/db/node.ts", "node:fs"),
    importing("src/http/node-store.ts", "node:fs"),
    importing("src/audit/node.ts", "node:fs"),
    importing("src/audit/store.ts", "node:fs"),
    importing("src/audit/audited-call.ts", "node:fs"),
    importing("src/platform/node.ts", "node:fs"),
    importing("src/platform/local-clock/node.ts", "node:fs"),
  ]],
  [/another domain is known by its ports\.ts only/, [
    importing("src/ledger/book/catalogue.ts", "../../catalogue/store.ts"),
    importing("src/banking/identity.ts", "../identity/service.ts"),
    importing("src/banking/routes/identity.ts", "../../identity/profile.ts"),
    importing("src/banking/store/identity.ts", "../../identity/routes.ts"),
    importing("src/catalogue/terms/ledger.ts", "../../ledger/earning/rules.ts"),
    importing("src/catalogue/offers/ledger.ts", "../../ledger/object/ports.ts"),
    importing("src/catalogue/recognition.ts", "../recognition/port-list.ts"),
    importing("src/reviews/audit.ts", "../audit/store.ts"),
  ]],
  [/a domain imports neither platform nor entries/, [
    importing("src/ledger/book/platform.ts", "../../platform/compose/index.ts"),
    importing("src/ledger/routes/app.ts", "../../app.ts"),
    importing("src/banking/store/cli.ts", "../../cli/archive.ts"),
    importing("src/identity/local.ts", "../local/settings.ts"),
  ]],
  [/app\.ts and config\.ts import neither platform nor entries/, [
    importing("src/app.ts", "./platform/compose/index.ts"),
    importing("src/config.ts", "./local/settings.ts"),
  ]],
  [/platform imports no entry and nothing of local\//, [
    importing("src/platform/local.ts", "../local/settings.ts"),
    importing("src/platform/deno/local.ts", "../../local/settings.ts"),
    importing("src/platform/cloudflare/entry.ts", "../../worker.ts"),
    importing("src/platform/local-clock/cli.ts", "../../cli/archive.ts"),
  ]],
  [/nothing outside local\/ and test\/ imports local\//, [
    importing("src/cli/local.ts", "../local/settings.ts"),
    importing("src/web/docs/local.ts", "../../local/settings.ts"),
    importing("src/worker.ts", "./local/settings.ts"),
    importing("src/deno.ts", "./local/settings.ts"),
  ]],
  [/nothing outside test\/ imports test\//, [
    importing("src/ledger/book/test.ts", "../../../test/support/clock.ts"),
    importing("src/banking/routes/test.ts", "../../../test/support/clock.ts"),
    importing("src/banking/store/test.ts", "../../../test/support/clock.ts"),
    importing("src/http/test.ts", "../../test/support/clock.ts"),
    importing("src/texts/test.ts", "../../test/support/clock.ts"),
    importing("src/db/test.ts", "../../test/support/clock.ts"),
    importing("src/http/test-store.ts", "../../test/support/clock.ts"),
    importing("src/audit/test.ts", "../../test/support/clock.ts"),
    importing("src/audit/store.ts", "../../test/support/clock.ts"),
    importing("src/audit/audited-call.ts", "../../test/support/clock.ts"),
    importing("src/platform/test.ts", "../../test/support/clock.ts"),
    importing("src/platform/local-clock/test.ts", "../../../test/support/clock.ts"),
    importing("src/platform/cloudflare/test.ts", "../../../test/support/clock.ts"),
    importing("src/platform/deno/test.ts", "../../../test/support/clock.ts"),
    importing("src/cli/test.ts", "../../test/support/clock.ts"),
    importing("src/local/sandbox/test.ts", "../../../test/support/clock.ts"),
  ]],
];

/** Violations that are no import, with the rule that must refuse them. */
const FORBIDDEN_CODE: readonly [rule: string, planted: Planted][] = [
  ["no-restricted-globals", planted("Deno in the core", "export const a: unknown = Deno.version;")],
  ["no-restricted-globals", planted("process in the core", "export const a = process.env;")],
  ["no-restricted-properties", planted("a clock in the core", "export const a = Date.now();")],
  [
    "no-restricted-properties",
    planted("Math.random in the core", "export const a = Math.random();"),
  ],
  [
    "no-restricted-properties",
    planted("random ids in the core", "export const a = crypto.randomUUID();"),
  ],
  ["no-default-export", planted("a default export", "export default 1;")],
  ["no-explicit-any", planted("any", "export const a: any = 1;")],
  [
    "max-lines-per-function",
    planted(
      "a function over 70 lines",
      `export function a(b: { c: number }): void {\n${"  b.c += 1;\n".repeat(70)}}`,
    ),
  ],
];

function planted(name: string, text: string): Planted {
  return { name, path: `src/ledger/book/${name.replaceAll(/\W+/g, "-")}.ts`, text: `${text}\n` };
}

/** What keeps to its layer: a rule that refuses everything proves nothing. */
const ALLOWED: readonly Planted[] = [
  importing("src/identity/kept.ts", "../kernel/ids.ts"),
  importing("src/banking/rows/kept.ts", "../../ledger/ports.ts"),
  importing("src/banking/rows/beside.ts", "../store/connections.ts"),
  importing("src/catalogue/routes/kept.ts", "@hono/zod-openapi"),
  importing("src/banking/store/kept.ts", "drizzle-orm"),
  importing("src/http/kept-store.ts", "drizzle-orm"),
  importing("src/audit/ports.ts", "../http/context.ts"),
  importing("src/http/kept.ts", "../config.ts"),
  importing("src/platform/kept.ts", "../identity/service.ts"),
  importing("src/platform/cloudflare/kept.ts", "cloudflare:workers"),
  importing("src/platform/deno/kept.ts", "../local-clock/routes.ts"),
  importing("src/local/sandbox/kept.ts", "../settings.ts"),
];

let root = "";
let diagnostics: readonly Diagnostic[] = [];

/** One run over all planted files; files with several violations hold them one below the other. */
async function lint(): Promise<readonly Diagnostic[]> {
  const files = [
    ...FORBIDDEN_IMPORTS.flatMap(([, violations]) => violations),
    ...FORBIDDEN_CODE.map(([, file]) => file),
    ...ALLOWED,
    ...CYCLE,
  ];
  for (const { path, text } of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text, { flag: "a" });
  }
  const output = await new Promise<string>((done) => {
    execFile(
      process.execPath,
      [resolve("node_modules/oxlint/bin/oxlint"), "--format", "json", "src"],
      { cwd: root, maxBuffer: 16 * 1024 * 1024 },
      (_error, stdout) => done(stdout),
    );
  });
  return (JSON.parse(output) as { diagnostics: Diagnostic[] }).diagnostics;
}

const CYCLE: readonly Planted[] = [
  { name: "", path: "src/ledger/a.ts", text: 'export { b } from "./points/b.ts";\n' },
  { name: "", path: "src/ledger/points/b.ts", text: 'export { b } from "../a.ts";\n' },
];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "cagnotte-layers-"));
  await cp(".oxlintrc.json", join(root, ".oxlintrc.json"));
  await symlink(resolve("node_modules"), join(root, "node_modules"));
  diagnostics = await lint();
});
afterAll(async () => rm(root, { recursive: true, force: true }));

describe("the linter refuses", () => {
  for (const [message, violations] of FORBIDDEN_IMPORTS) {
    for (const { name, path } of violations) {
      it(name, ({ expect }) => {
        const found = diagnostics.filter((one) => one.filename === path);
        expect(found.filter((one) => one.code.includes(IMPORTS)).map((one) => one.help))
          .toContainEqual(
            expect.stringMatching(message),
          );
      });
    }
  }

  for (const [rule, { name, path }] of FORBIDDEN_CODE) {
    it(name, ({ expect }) => {
      const codes = diagnostics.filter((one) => one.filename === path).map((one) => one.code);
      expect(codes).toContainEqual(expect.stringContaining(rule));
    });
  }

  it("a circle of files in two folders", ({ expect }) => {
    const codes = diagnostics.filter((one) => one.filename === "src/ledger/a.ts").map((one) =>
      one.code
    );
    expect(codes).toContainEqual(expect.stringContaining("no-cycle"));
  });

  it("nothing of a file that keeps to its layer", ({ expect }) => {
    const kept = new Set(ALLOWED.map(({ path }) => path));
    expect(diagnostics.filter((one) => kept.has(one.filename))).toEqual([]);
  });
});

/** The findings over files given by their text. */
function findings(files: Readonly<Record<string, string>>): string[] {
  return structureFindings(
    Object.entries(files).map(([path, text]): SourceFile => readSource(path, text)),
  );
}

describe("the structure check refuses", () => {
  it("a circle of files, also by types and re-exports", ({ expect }) => {
    expect(findings({
      "src/ledger/a.ts": 'import type { B } from "./b.ts";\nexport type A = B;\n',
      "src/ledger/b.ts": 'export type { C as B } from "./c.ts";\n',
      "src/ledger/c.ts": 'import type {\n  A,\n} from "./a.ts";\nexport type C = A;\n',
    })).toEqual(["circle of files: src/ledger/a.ts, src/ledger/b.ts, src/ledger/c.ts"]);
  });

  it("a circle of folders without a circle of files", ({ expect }) => {
    expect(findings({
      "src/ledger/book/a.ts": 'import { b } from "../points/b.ts";\nb();\n',
      "src/ledger/points/b.ts": "export function b(): void {}\n",
      "src/ledger/points/c.ts": 'import { d } from "../book/d.ts";\nd();\n',
      "src/ledger/book/d.ts": "export function d(): void {}\n",
    })).toEqual([
      "circle within src/ledger: src/ledger/book, src/ledger/points\n" +
      "  src/ledger/book/a.ts -> src/ledger/points/b.ts\n" +
      "  src/ledger/points/c.ts -> src/ledger/book/d.ts",
    ]);
  });

  it("a circle of a file and a folder beside it", ({ expect }) => {
    expect(findings({
      "src/ledger/deps.ts": 'import type { A } from "./book/a.ts";\nexport type D = A;\n',
      "src/ledger/book/a.ts": "export type A = 1;\n",
      "src/ledger/book/b.ts": 'import type { D } from "../deps.ts";\nconst d: D = 1;\nvoid d;\n',
    })).toEqual([
      expect.stringContaining("circle within src/ledger: src/ledger/book, src/ledger/deps.ts"),
    ]);
  });

  it("a circle of domains", ({ expect }) => {
    expect(findings({
      "src/ledger/a.ts":
        'import type { P } from "../catalogue/ports.ts";\nconst p: P = 1;\nvoid p;\n',
      "src/catalogue/ports.ts": "export type P = 1;\n",
      "src/catalogue/b.ts":
        'import type { Q } from "../ledger/ports.ts";\nconst q: Q = 1;\nvoid q;\n',
      "src/ledger/ports.ts": "export type Q = 1;\n",
    })).toEqual([expect.stringContaining("circle within src: src/catalogue, src/ledger")]);
  });

  for (
    const [from, to] of [
      ["src/kernel/a.ts", "src/texts/b.ts"],
      ["src/texts/a.ts", "src/config.ts"],
      ["src/config.ts", "src/db/b.ts"],
      ["src/db/a.ts", "src/http/b.ts"],
      ["src/http/a.ts", "src/audit/b.ts"],
      ["src/audit/a.ts", "src/ledger/b.ts"],
      ["src/ledger/book/a.ts", "src/app.ts"],
      ["src/app.ts", "src/platform/b.ts"],
      ["src/platform/deno/a.ts", "src/cli/b.ts"],
    ] as const
  ) {
    it(`an arrow up from ${from} to ${to}`, ({ expect }) => {
      const up = "../".repeat(from.split("/").length - 2) || "./";
      expect(findings({
        [from]: `import { b } from "${up}${to.slice("src/".length)}";\nb();\n`,
        [to]: "export function b(): void {}\n",
      })).toEqual([`arrow up: ${from} -> ${to}`]);
    });
  }

  it("a file of src that no layer names", ({ expect }) => {
    expect(findings({ "src/misc/a.ts": "const a = 1;\nvoid a;\n" })).toEqual([
      "no layer: src/misc/a.ts",
    ]);
  });

  it("an import of local/ from an entry and of test/ from src", ({ expect }) => {
    expect(findings({
      "src/cli/a.ts": 'import { b } from "../local/b.ts";\nb();\n',
      "src/local/b.ts": 'export function b(): void {}\nawait import("../../test/support/c.ts");\n',
      "test/support/c.ts": 'import { b } from "../../src/local/b.ts";\nb();\n',
    })).toEqual([
      "arrow into local: src/cli/a.ts -> src/local/b.ts",
      "arrow into test: src/local/b.ts -> test/support/c.ts",
    ]);
  });

  it("an export that no other file uses, of every form", ({ expect }) => {
    expect(findings({
      "src/ledger/a.ts": [
        "export const one = 1;",
        "export async function two(): Promise<void> {}",
        "export type Three = 3;",
        "export class Four {}",
        "const five = 5;",
        "export { five as fifth };",
        "export const { six, seven: eight } = { six: 6, seven: 7 };",
        "export interface Nine {}",
        "export default 10;",
      ].join("\n"),
    })).toEqual(
      ["fifth", "one", "two", "Three", "Four", "Nine", "six", "eight", "default"].map((name) =>
        `unused export: src/ledger/a.ts ${name}`
      ),
    );
  });

  it("a name that is passed on and used by nobody there", ({ expect }) => {
    expect(findings({
      "src/ledger/a.ts": "export const one = 1;\n",
      "src/ledger/b.ts": 'export { one as first } from "./a.ts";\n',
    })).toEqual(["unused export: src/ledger/b.ts first"]);
  });

  it("no export that a file of src or test uses, in whatever way", ({ expect }) => {
    expect(findings({
      "src/ledger/a.ts": "export const one = 1;\nexport type Two = 2;\nexport const three = 3;\n",
      "src/ledger/b.ts": 'export * from "./a.ts";\n',
      "src/ledger/c.ts": 'import { one as first } from "./b.ts";\nvoid first;\n',
      "src/ledger/d.ts": 'const two: import("./a.ts").Two = 2;\nvoid two;\n',
      "test/unit/a.test.ts": 'import * as a from "../../src/ledger/a.ts";\nvoid a.three;\n',
    })).toEqual([]);
  });

  it("one name of a file of which another is used by its namespace", ({ expect }) => {
    expect(findings({
      "src/ledger/a.ts": "export const one = 1;\nexport const two = 2;\n",
      "src/ledger/b.ts": 'import * as a from "./a.ts";\nvoid a.one;\n',
    })).toEqual(["unused export: src/ledger/a.ts two"]);
  });
});
