// A data folder that version 0.1 wrote, before the source tree was rearranged: today's code must
// find its books sound, show the same points, entries and verdicts, and go on from there. What was
// stored is never migrated by rewriting it, so this is the proof that formats and hashes are kept.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, test, vi } from "vitest";
import { accessTokenIssuer } from "../../../src/identity/access-tokens.ts";
import type { SessionId, UserId } from "../../../src/kernel/ids.ts";
import { systemRandomBytes } from "../../../src/kernel/random.ts";
import { signWebhook } from "../../../src/local/sandbox/signature.ts";
import { localSettings } from "../../../src/local/settings.ts";
import { openPlatform } from "../../../src/platform/deno/platform.ts";
import type { OpenPlatform } from "../../../src/platform/deno/platform.ts";
import { checkSnapshot } from "../../../src/platform/deno/snapshot.ts";

type Fact = Readonly<Record<string, unknown>>;
type Expected = {
  readonly now_ms: number;
  readonly users: readonly {
    readonly user_id: UserId;
    readonly points: Fact & { readonly available: number; readonly pending: number };
    readonly entries: readonly Fact[];
    readonly purchases: readonly Fact[];
  }[];
  readonly further_webhook: { readonly event: string; readonly body: string };
};
type Secrets = Readonly<Record<string, string>>;

const FIXTURE = "test/fixtures/data-folder-0.1";
const read = (name: string): unknown => JSON.parse(readFileSync(join(FIXTURE, name), "utf8"));
const expected = read("expected.json") as Expected;
const { ACCESS_SIGNING_KEY: _sandboxKey, ...secrets } = read("secrets.json") as Secrets;
const folder = mkdtempSync(join(tmpdir(), "cagnotte-former-"));
let opened: OpenPlatform;

/** Unpacks the copies in place: `x.sqlite.gz` becomes `x.sqlite`. */
function unpack(): void {
  cpSync(FIXTURE, folder, { recursive: true });
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".gz")) continue;
    const path = join(folder, name);
    writeFileSync(path.slice(0, -".gz".length), gunzipSync(readFileSync(path)));
    rmSync(path);
  }
}

beforeAll(() => {
  unpack();
  vi.useFakeTimers({ toFake: ["Date"], now: expected.now_ms });
});
afterAll(async () => {
  await opened.stop();
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

/** Without the sentences, which may be reworded, and without fields that came later. */
function comparable(found: unknown, like: unknown): unknown {
  if (Array.isArray(found) && Array.isArray(like)) {
    return found.map((each, index) => comparable(each, like[index]));
  }
  if (typeof found !== "object" || found === null || typeof like !== "object" || like === null) {
    return found;
  }
  return Object.fromEntries(
    Object.entries(like).map(([name, value]) => [name, comparable((found as Fact)[name], value)]),
  );
}

/** A session of that user which the folder holds: an ended or unknown one sees nothing. */
function sessionOf(userId: UserId): SessionId {
  const database = new DatabaseSync(join(folder, "cagnotte.sqlite"), { readOnly: true });
  const row = database.prepare("SELECT id FROM sessions WHERE user_id = ? LIMIT 1").get(userId);
  database.close();
  return row?.["id"] as SessionId;
}

async function get(userId: UserId, path: string): Promise<unknown> {
  const issuer = accessTokenIssuer(opened.config, { nowMs: () => Date.now() }, systemRandomBytes);
  const token = await issuer.issue({
    userId,
    sessionId: sessionOf(userId),
    authTimeS: Math.floor(Date.now() / 1000),
    amr: ["otp"],
  });
  const answer = await opened.handle(
    new Request(`http://127.0.0.1:9871${path}`, { headers: { Authorization: `Bearer ${token}` } }),
  );
  return answer.json();
}

describe("a data folder of version 0.1", () => {
  test("is sound: chains, sums and heads", ({ expect }) => {
    expect(checkSnapshot(folder)).toEqual({ users: 2, transactions: 23, broken: [] });
  });

  test("opens, and shows the same points, entries and verdicts", async ({ expect }) => {
    const platform = openPlatform({
      dataDir: folder,
      migrationsDir: "migrations",
      assetsDir: ".build/assets",
      env: { ...localSettings("http://127.0.0.1:9871", "http://127.0.0.1:9872"), ...secrets },
      limits: { api: 1_000, auth: 1_000 },
      log: { info: () => {}, alert: () => {} },
    });
    if (!platform.ok) throw new Error(platform.error.code);
    opened = platform.value;
    for (const user of expected.users) {
      const shown = {
        points: await get(user.user_id, "/v1/points"),
        entries: (await get(user.user_id, "/v1/points/entries?limit=100") as Fact)["data"],
        purchases:
          (await get(user.user_id, "/v1/purchases?limit=100&include=rules") as Fact)["data"],
      };
      expect(user.purchases.length).toBeGreaterThan(0);
      expect(comparable(shown.points, user.points)).toEqual(user.points);
      expect(comparable(shown.entries, user.entries)).toEqual(user.entries);
      expect(comparable(shown.purchases, user.purchases)).toEqual(user.purchases);
    }
  });

  test("records a purchase that came since, on top of the former chain", async ({ expect }) => {
    const { event, body } = expected.further_webhook;
    const path = `/webhooks/powens/${event}`;
    const date = new Date(expected.now_ms).toISOString().replace(/\.\d+Z$/, "Z");
    const secret = (secrets["POWENS_WEBHOOK_SECRET"] ?? "").split(",")[0] ?? "";
    const answer = await opened.handle(
      new Request(`http://127.0.0.1:9871${path}`, {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          "BI-Signature-Date": date,
          "BI-Signature": await signWebhook({ secret, path, date, payload: body }),
        },
        body,
      }),
    );
    expect(answer.status).toBe(200);
    const [camille] = expected.users;
    if (camille === undefined) throw new Error("the fixture has a user");
    const points = await get(camille.user_id, "/v1/points") as Expected["users"][0]["points"];
    // 20.00 euros at 3 percent.
    expect(points.pending).toBe(camille.points.pending + 60);
    expect(points["ledger"]).toMatchObject({ sequence: camille.entries.length + 1 });
    const verified = await opened.platform.ledger.verify(camille.user_id);
    expect(verified).toMatchObject({ ok: true, value: { broken: [] } });
  });
});
