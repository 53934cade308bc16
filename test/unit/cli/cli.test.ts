// Every command as a person meets it: a process with arguments, output and an exit code. 2 is a
// wrong call and shows the usage, 1 is work that failed, and neither leaves anything behind. Only
// the loopback address is called, and wrangler never.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, it } from "vitest";

type Ended = {
  readonly code: number | string | null | undefined;
  readonly out: string;
  readonly err: string;
};
type Asked = {
  readonly method: string;
  readonly path: string;
  readonly key: string;
  readonly authorization: string;
  readonly body: string;
};

let folder = "";
let server: Server;
let url = "";
let asked: Asked[] = [];
/** What the server of a test answers, one after the other. */
let answers: { readonly status: number; readonly body: unknown }[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cagnotte-cli-"));
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      asked.push({
        method: request.method ?? "",
        path: request.url ?? "",
        key: String(request.headers["idempotency-key"]),
        authorization: request.headers.authorization ?? "",
        body: Buffer.concat(chunks).toString(),
      });
      const { status, body } = answers.shift() ?? { status: 404, body: {} };
      response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((up) => server.listen(0, "127.0.0.1", up));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  asked = [];
  answers = [];
});

function run(
  script: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Ended> {
  const { OPERATOR_TOKEN: _ours, ...env } = process.env;
  return new Promise((done) => {
    execFile(process.execPath, [resolve(script), ...args], {
      cwd: options.cwd ?? ".",
      env: { ...env, ...options.env },
      timeout: 60_000,
    }, (error, out, err) => {
      done({ code: error === null ? 0 : error.code, out, err });
    }).stdin?.end();
  });
}

const CLI = "src/cli";
const COMMANDS: readonly (readonly [script: string, ...wrong: readonly (readonly string[])[]])[] = [
  [`${CLI}/recognise.ts`, [], ["--unknown"], ["--brands"], ["--brands", "/no/such/file.json"]],
  [`${CLI}/import-nsi.ts`, ["--unknown"], ["--file"]],
  [`${CLI}/rebuild-projections.ts`, [], ["--unknown"], ["--url"]],
  [
    `${CLI}/export-all.ts`,
    [],
    ["--url", "http://127.0.0.1:1", "--token", "t"],
    ["--url", "http://127.0.0.1:1", "--out", "x"],
    ["--url", "http://127.0.0.1:1", "--token", "", "--out", "x"],
    ["--out"],
  ],
  [`${CLI}/import-all.ts`, [], ["--url", "http://127.0.0.1:1", "--token", "t"], [
    "--url",
    "http://127.0.0.1:1",
    "--in",
    "x",
  ], ["--in"]],
  [`${CLI}/snapshot.ts`, [], ["only-one"], ["--check"]],
  [`${CLI}/setup-cloudflare.ts`, ["--unknown"]],
  [`${CLI}/keys.ts`, [], ["new"], ["old", "file"], ["new", "a", "b"]],
  [`${CLI}/deploy-check.ts`, ["--unknown"], ["--secrets", "/nowhere/at/all"]],
  ["src/local/token.ts", [], ["--role", "owner"], ["--role", "nobody", "--subject", "olga"], [
    "--role",
    "owner",
    "--subject",
    "no/path",
  ], ["--role"]],
  ["test/torture/main.ts", ["--kills", "many"], ["--users", "0"], ["--runtime", "node"]],
];

describe("a command that is called wrongly", () => {
  it.for(COMMANDS)(
    "ends with 2, says why on standard error only, and shows no stack: %s",
    async ([script, ...wrong], { expect }) => {
      const all = await Promise.all(
        wrong.map(async (args) => ({ args, ...(await run(script, args)) })),
      );
      for (const { args, code, out, err } of all) {
        expect({ args, code, out }).toEqual({ args, code: 2, out: "" });
        expect(err).toMatch(/usage:|cannot read|OPERATOR_TOKEN|--brands|[Oo]ption/);
        expect(err).not.toMatch(/^\s+at /m);
      }
    },
  );
});

describe("token", () => {
  it("prints one token and nothing else, for the data folder that it is given", async ({ expect }) => {
    const dataDir = join(folder, "token-data");
    const ended = await run(
      "src/local/token.ts",
      ["--role", "catalogue", "--subject", "alice"],
      { env: { DATA_DIR: dataDir } },
    );
    expect(ended).toMatchObject({ code: 0, err: "" });
    const [, claims = ""] = ended.out.trim().split(".");
    expect(JSON.parse(Buffer.from(claims, "base64url").toString())).toMatchObject({
      aud: ["cagnotte-operators"],
      iss: "http://127.0.0.1:8788",
    });
    expect(await readdir(dataDir)).toContain("secrets.json");
  });
});

describe("import:nsi", () => {
  it("prints a brands file, and 1 with nothing on standard output when it finds no brand", async ({ expect }) => {
    const index = join(folder, "nsi.json");
    await writeFile(
      index,
      JSON.stringify({
        nsi: {
          "brands/shop/supermarket": {
            items: [{
              displayName: "Monoprix",
              locationSet: { include: ["fr"] },
              matchNames: [],
              tags: { brand: "Monoprix", "brand:wikidata": "Q3" },
            }],
          },
        },
      }),
    );
    const found = await run(`${CLI}/import-nsi.ts`, ["--file", index]);
    expect(found).toMatchObject({ code: 0, err: "1 brands, 1 with a Wikidata id\n" });
    expect(JSON.parse(found.out)).toMatchObject([{ name: "Monoprix", wikidata: "Q3" }]);
    await writeFile(join(folder, "broken.json"), "{");
    for (const file of ["broken.json", "missing.json"]) {
      expect(await run(`${CLI}/import-nsi.ts`, ["--file", join(folder, file)])).toEqual({
        code: 1,
        out: "",
        err: "no brand found: is this name-suggestion-index's dist/json/nsi.json?\n",
      });
    }
  });
});

describe("rebuild-projections", () => {
  const step = (rebuilt: number, failed: number, next: string | null) => ({
    status: 200,
    body: { done: next === null, rebuilt, failed, total: { rebuilt, failed }, next_cursor: next },
  });
  const rebuild = (...args: readonly string[]): Promise<Ended> =>
    run(`${CLI}/rebuild-projections.ts`, ["--url", `${url}/`, ...args], {
      env: { OPERATOR_TOKEN: "owner-token" },
    });

  it("follows the steps to the end, each under a key of its own", async ({ expect }) => {
    answers = [step(25, 0, "c1"), step(31, 0, null)];
    expect(await rebuild()).toEqual({
      code: 0,
      out: "25 ledgers projected again, 0 failed\n31 ledgers projected again, 0 failed, done\n",
      err: "",
    });
    expect(
      asked.map(({ method, path, authorization, body }) => [method, path, authorization, body]),
    ).toEqual([
      ["POST", "/admin/v1/projections/rebuild", "Bearer owner-token", '{"cursor":null}'],
      ["POST", "/admin/v1/projections/rebuild", "Bearer owner-token", '{"cursor":"c1"}'],
    ]);
    expect(new Set(asked.map(({ key }) => key)).size).toBe(2);
  });

  it("ends with 1 when a ledger failed", async ({ expect }) => {
    answers = [step(25, 1, null)];
    expect((await rebuild()).code).toBe(1);
  });

  it("stops at a refusal and says where to go on; goes on there when asked; never shows the token", async ({ expect }) => {
    answers = [step(25, 0, "c1"), { status: 403, body: {} }, step(31, 0, null)];
    const stopped = await rebuild();
    expect([stopped.code, stopped.err]).toEqual([
      1,
      "the rebuild stopped: status 403\ngo on with: --cursor c1\n",
    ]);
    expect((await rebuild("--cursor", "c1")).code).toBe(0);
    expect(asked.at(-1)?.body).toBe('{"cursor":"c1"}');
    expect(stopped.out + stopped.err).not.toContain("owner-token");
  });

  it("tries a step again under the same key when the server was down for a moment", async ({ expect }) => {
    answers = [{ status: 503, body: {} }, step(1, 0, null)];
    expect((await rebuild()).code).toBe(0);
    expect(new Set(asked.map(({ key }) => key)).size).toBe(1);
  });
});

describe("export-all and import-all", () => {
  it("end with 1 and the server's own sentence when they are refused", async ({ expect }) => {
    answers = [{ status: 403, body: { detail: "Not your role." } }];
    const out = join(folder, "refused.archive");
    expect(
      await run(`${CLI}/export-all.ts`, ["--url", url, "--out", out], {
        env: { OPERATOR_TOKEN: "from-environment" },
      }),
    ).toEqual({ code: 1, out: "", err: "status 403: Not your role.\n" });
    expect(asked[0]).toMatchObject({ authorization: "Bearer from-environment" });
    expect(await readFile(out, "utf8")).toBe("");
  });

  it("send nothing of a file that is missing, empty, cut off or something else", async ({ expect }) => {
    const line = {
      archive: "a",
      line: 0,
      kind: "header",
      name: "",
      page: 0,
      sealed: "x",
      next: "c",
    };
    const files: Readonly<Record<string, string>> = {
      "empty.archive": "",
      "open.archive": `${JSON.stringify(line)}\n`,
      "else.archive": "no archive\n",
      "gap.archive": `${JSON.stringify({ ...line, line: 1, next: null })}\n`,
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    for (const name of [...Object.keys(files), "missing.archive"]) {
      const ended = await run(`${CLI}/import-all.ts`, [
        "--url",
        url,
        "--token",
        "t",
        "--in",
        join(folder, name),
      ]);
      expect([name, ended.code, ended.out]).toEqual([name, 1, ""]);
      expect(ended.err).not.toBe("");
    }
    expect(asked).toEqual([]);
  });
});

describe("snapshot", () => {
  it("of a folder that is no server's, or to a place that exists, ends with 1 and leaves both as they were", async ({ expect }) => {
    const [source, target] = [join(folder, "not-a-server"), join(folder, "copy")];
    await mkdir(source);
    for (const from of [source, join(folder, "nowhere")]) {
      expect(await run(`${CLI}/snapshot.ts`, [from, target])).toEqual({
        code: 1,
        out: "",
        err: `no snapshot: ${from} holds no cagnotte.sqlite\n`,
      });
    }
    expect([await readdir(source), existsSync(target)]).toEqual([[], false]);
    expect((await run(`${CLI}/snapshot.ts`, ["--check", source])).code).toBe(1);
    expect(await readdir(source)).toEqual([]);
  });
});

describe("setup:cloudflare and deploy", () => {
  // In a folder without wrangler: whatever they would call cannot be there.
  it("refuse with 1 before anything is called: an id that is set, an id that is not", async ({ expect }) => {
    const toml = await readFile("wrangler.toml", "utf8");
    const id = /(\[\[env\.production\.d1_databases\]\][^[]*database_id = ")[^"]*"/;
    const cwd = join(folder, "cloudflare");
    await mkdir(cwd);
    await writeFile(
      join(cwd, "wrangler.toml"),
      toml.replace(id, '$10b0f2c3e-5d4a-4c6b-8e7f-1a2b3c4d5e6f"'),
    );
    expect(await run(`${CLI}/setup-cloudflare.ts`, [], { cwd })).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^refused: env\.production already names a database/) as string,
    });
    await writeFile(join(cwd, "wrangler.toml"), toml.replace(id, '$1set-by-setup-cloudflare"'));
    expect(await run(`${CLI}/deploy.ts`, [], { cwd })).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^refused: env\.production names no database yet/) as string,
    });
    expect(await readdir(cwd)).toEqual(["wrangler.toml"]);
  });
});

describe("keys", () => {
  it("writes a file for its owner alone, prints no key, and never replaces one", async ({ expect }) => {
    const path = join(folder, "secrets.json");
    const made = await run(`${CLI}/keys.ts`, ["new", path]);
    expect(made.code).toBe(0);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const text = await readFile(path, "utf8");
    const values = Object.values(JSON.parse(text) as Record<string, string>).filter((value) =>
      value !== ""
    );
    expect(values).toHaveLength(6);
    for (const value of values) expect(made.out + made.err).not.toContain(value);
    expect(await run(`${CLI}/keys.ts`, ["new", path])).toMatchObject({ code: 1, out: "" });
    expect(await readFile(path, "utf8")).toBe(text);
  });
});
