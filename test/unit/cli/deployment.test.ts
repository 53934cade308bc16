// Setting up and deploying: refused before anything is called, and wrangler.toml changed in one
// place only. Nothing runs here.
import { readFile } from "node:fs/promises";
import { beforeAll, describe, it } from "vitest";
import { deployToCloudflare, setUpCloudflare } from "../../../src/cli/cloudflare.ts";
import type { OperatorTerminal } from "../../../src/cli/cloudflare.ts";
import {
  DATABASE_ID_PLACEHOLDER,
  databaseIdFromList,
  databaseToCreate,
  databaseToDeploy,
  withDatabaseId,
} from "../../../src/cli/deployment.ts";

const ID = "0b0f2c3e-5d4a-4c6b-8e7f-1a2b3c4d5e6f";
let ours = "";
let ready = "";

beforeAll(async () => {
  ours = (await readFile("wrangler.toml", "utf8")).replace(
    /(\[\[env\.production\.d1_databases\]\][^[]*database_id = ")[^"]*"/,
    `$1${DATABASE_ID_PLACEHOLDER}"`,
  );
  ready = ours.replace(DATABASE_ID_PLACEHOLDER + '"\njurisdiction', `${ID}"\njurisdiction`);
});

function terminal(toml: string, answers: readonly { code: number; output: string }[] = []) {
  const calls: string[] = [];
  const printed: string[] = [];
  const written: string[] = [];
  const left = [...answers];
  const fake: OperatorTerminal = {
    readConfig: async () => toml,
    writeConfig: async (text) => void written.push(text),
    print: (line) => void printed.push(line),
    wrangler: async (args) => {
      calls.push(args.join(" "));
      return left.shift() ?? { code: 99, output: "" };
    },
  };
  return { fake, calls, printed, written };
}

const list = (...databases: Record<string, unknown>[]): { code: number; output: string } => ({
  code: 0,
  output: JSON.stringify(databases),
});
const done = { code: 0, output: "" };
const database = { uuid: ID, name: "cagnotte", jurisdiction: "eu", version: "production" };

describe("withDatabaseId", () => {
  it("changes production's id and not one character more", ({ expect }) => {
    const changed = withDatabaseId(ours, ID);
    expect(changed).toEqual({ ok: true, value: ready });
    expect(ready).not.toBe(ours);
    expect(ready).toContain('database_id = "00000000-0000-0000-0000-000000000000"');
    expect(databaseToDeploy(ready)).toEqual({
      ok: true,
      value: { name: "cagnotte", id: ID, jurisdiction: "eu" },
    });
  });

  it("refuses when an id is set already", ({ expect }) => {
    expect(withDatabaseId(ready, ID)).toEqual({ ok: false, error: "database_id_already_set" });
    expect(databaseToCreate(ready)).toEqual({ ok: false, error: "database_id_already_set" });
  });

  it("refuses an id that is none", ({ expect }) => {
    for (
      const id of [
        "",
        "cagnotte",
        DATABASE_ID_PLACEHOLDER,
        `${ID}"\n[vars]\nx = "`,
        ID.toUpperCase(),
        "00000000-0000-0000-0000-000000000000",
      ]
    ) {
      expect(withDatabaseId(ours, id), id).toEqual({ ok: false, error: "database_id_malformed" });
    }
  });

  it("refuses a file without exactly one production database of ours in the EU", ({ expect }) => {
    const block = /\[\[env\.production\.d1_databases\]\][^[]*/.exec(ours)?.[0] ?? "";
    expect(block).toContain(DATABASE_ID_PLACEHOLDER);
    for (
      const toml of [
        "",
        ours.replace(block, ""),
        `${ours}\n${block}`,
        ours.replace(block, block.replace("database_name", "#")),
        ours.replace(block, block.replace('"DB"', '"OTHER"')),
        ours.replace(block, `# ${block}`),
      ]
    ) {
      expect(withDatabaseId(toml, ID)).toEqual({ ok: false, error: "production_database_missing" });
      expect(databaseToDeploy(toml)).toEqual({ ok: false, error: "production_database_missing" });
    }
    for (const other of ["", 'jurisdiction = "us"', '# jurisdiction = "eu"']) {
      expect(
        withDatabaseId(ours.replace(block, block.replace('jurisdiction = "eu"', other)), ID),
        other,
      ).toEqual({ ok: false, error: "jurisdiction_not_eu" });
    }
  });
});

describe("setup:cloudflare", () => {
  it("makes the database in the EU, writes its id and names every secret", async ({ expect }) => {
    const { fake, calls, printed, written } = terminal(ours, [
      done,
      list(database, { uuid: "x", name: "other" }),
    ]);
    expect(
      await setUpCloudflare(fake, {
        adopt: false,
        secrets: ["ENCRYPTION_KEYRING", "JWT_SIGNING_KEYS"],
      }),
    ).toBe(0);
    expect(calls).toEqual([
      "d1 create cagnotte --jurisdiction eu --update-config=false",
      "d1 list --json",
    ]);
    expect(written).toEqual([ready]);
    for (const name of ["ENCRYPTION_KEYRING", "JWT_SIGNING_KEYS"]) {
      expect(printed.join("\n")).toContain(name);
    }
  });

  it("calls nothing when an id is set already", async ({ expect }) => {
    const { fake, calls, written } = terminal(ready);
    expect(await setUpCloudflare(fake, { adopt: true, secrets: [] })).toBe(1);
    expect([calls, written]).toEqual([[], []]);
  });

  it("takes a database that is there already only when asked to", async ({ expect }) => {
    const first = terminal(ours, [{ code: 1, output: "" }]);
    expect(await setUpCloudflare(first.fake, { adopt: false, secrets: [] })).toBe(1);
    expect([first.calls.length, first.written]).toEqual([1, []]);
    const second = terminal(ours, [list(database)]);
    expect(await setUpCloudflare(second.fake, { adopt: true, secrets: [] })).toBe(0);
    expect(second.calls).toEqual(["d1 list --json"]);
  });

  it("writes nothing when the database is elsewhere, or the answer is not understood", async ({ expect }) => {
    for (
      const answer of [
        list({ ...database, jurisdiction: "us" }),
        list({ ...database, jurisdiction: null }),
        list({ uuid: ID, name: "cagnotte" }),
        list(),
        list(database, database),
        list({ ...database, uuid: 7 }),
        { code: 0, output: "banner" },
        { code: 0, output: "{}" },
        { code: 1, output: JSON.stringify([database]) },
      ]
    ) {
      const { fake, written } = terminal(ours, [done, answer]);
      expect(await setUpCloudflare(fake, { adopt: false, secrets: [] }), answer.output).toBe(1);
      expect(written).toEqual([]);
    }
    expect(databaseIdFromList(JSON.stringify([{ ...database, jurisdiction: "us" }]), "cagnotte"))
      .toEqual({ ok: false, error: "jurisdiction_not_eu" });
  });
});

describe("deploy", () => {
  it("applies the migrations first, then deploys, both to production", async ({ expect }) => {
    const { fake, calls } = terminal(ready, [done, done]);
    expect(await deployToCloudflare(fake, [])).toBe(0);
    expect(calls).toEqual([
      "d1 migrations apply DB --remote --env production",
      "deploy --env production",
    ]);
  });

  it("calls nothing while the id is the placeholder, not an id, or the jurisdiction is missing", async ({ expect }) => {
    for (
      const toml of [
        ours,
        ready.replace(ID, "cagnotte"),
        ready.replace(ID, "00000000-0000-0000-0000-000000000000"),
        ready.replace(`${ID}"\njurisdiction = "eu"`, `${ID}"`),
        "",
      ]
    ) {
      const { fake, calls, printed } = terminal(toml, [done, done]);
      expect(await deployToCloudflare(fake, [])).toBe(1);
      expect(calls).toEqual([]);
      expect(printed[0]).toMatch(/^refused: /);
    }
  });

  it("does not deploy over migrations that failed", async ({ expect }) => {
    const { fake, calls } = terminal(ready, [{ code: 3, output: "" }, done]);
    expect(await deployToCloudflare(fake, [])).toBe(3);
    expect(calls).toHaveLength(1);
  });

  it("calls nothing while anything else is to mend, and names all of it", async ({ expect }) => {
    const { fake, calls, printed } = terminal(ready, [done, done]);
    const findings = [
      { setting: "ACCESS_ROLES", problem: "names nobody" },
      { setting: "PUBLIC_URL", problem: "is still a placeholder" },
    ];
    expect(await deployToCloudflare(fake, findings)).toBe(1);
    expect(calls).toEqual([]);
    expect(printed).toEqual([
      "refused: ACCESS_ROLES names nobody",
      "refused: PUBLIC_URL is still a placeholder",
    ]);
  });
});
