// A whole life moves to the other runtime: exported from the running system, imported into a fresh
// Deno edition, and lived on there.
import { execFile } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { openBlackBox } from "../support/blackbox.ts";
import type { BlackBox } from "../support/blackbox.ts";
import { atBank, consent, expectCall, linkBank, signIn } from "../../src/local/api-client.ts";
import { endProcess, spawnDenoEdge, startLocalDeno, untilUp } from "../../src/local/deno-edge.ts";
import { startEdge } from "../../src/local/system.ts";
import type { LocalSystem } from "../../src/local/system.ts";
import { freePort } from "../../src/local/free-port.ts";

let box: BlackBox;
let folder: string;
let target: ChildProcess | null = null;
let moved: LocalSystem | null = null;
beforeAll(async () => {
  box = await openBlackBox();
  folder = await mkdtemp(join(tmpdir(), "cagnotte-transfer-"));
});
afterAll(async () => {
  if (target !== null) await endProcess(target, 1);
  await moved?.stop();
  await box.dispose();
  await rm(folder, { recursive: true, force: true });
});

type Purchases = { data: { id: string; label: string; amount_cents: number }[] };
const screens = async (edgeUrl: string, token: string) => ({
  points: await expectCall(200, "GET", `${edgeUrl}/v1/points`, undefined, { token }),
  purchases: await expectCall<Purchases>(
    200,
    "GET",
    `${edgeUrl}/v1/purchases?limit=100`,
    undefined,
    { token },
  ),
  entries: await expectCall(200, "GET", `${edgeUrl}/v1/points/entries`, undefined, { token }),
});

function run(script: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      [`src/cli/${script}.ts`, ...args],
      (error, stdout, stderr) => done({ code: error === null ? 0 : 1, output: stdout + stderr }),
    );
  });
}

describe("export-all and import-all", () => {
  it("move a user with points and purchases, who signs in and buys again on the other side", async ({ expect }) => {
    const user = await signIn(box, "mover@example.org");
    await consent(box, user.token);
    const linked = await linkBank(box, user.token);
    await atBank(box, "/purchases", {
      connection_id: linked.remoteConnectionId,
      amount_cents: 3490,
      merchant: "Monoprix",
    });
    const before = await screens(box.edgeUrl, user.token);
    expect(before.purchases.data.map(({ amount_cents: cents }) => cents)).toContain(3490);
    expect(before.purchases.data[0]?.label).toMatch(/MONOPRIX/i);

    const token = await box.operator("owner", "alice");
    const archive = join(folder, "system.archive");
    for (const role of ["support", "finance", "auditor", "catalogue"]) {
      const other = await box.operator(role, "bob");
      const paths = [
        ["GET", "/export?archive=00000000-0000-0000-0000-000000000000"],
        ["GET", "/import"],
        ["POST", "/import"],
        ["POST", "/import/open"],
      ] as const;
      for (const [method, path] of paths) {
        await expectCall(
          403,
          method,
          `${box.edgeUrl}/admin/v1/transfer${path}`,
          method === "POST" ? {} : undefined,
          { token: other },
        );
      }
    }
    expect(await run("export-all", ["--url", box.edgeUrl, "--token", token, "--out", archive]))
      .toMatchObject({ code: 0 });
    const text = await readFile(archive, "utf8");
    for (const readable of ["mover@example.org", "MONOPRIX", "Monoprix"]) {
      expect(text).not.toContain(readable);
    }

    await writeFile(join(folder, "secrets.json"), JSON.stringify(box.secrets));
    const ports = {
      port: Number(new URL(box.edgeUrl).port),
      sandboxPort: Number(new URL(box.sandboxUrl).port),
    };
    const port = await freePort();
    target = await spawnDenoEdge({ port, sandboxPort: ports.sandboxPort, dataDir: folder });
    await untilUp(`http://127.0.0.1:${port}`, target);
    const url = `http://127.0.0.1:${port}`;
    expect(await run("import-all", ["--url", url, "--token", token, "--in", archive]))
      .toMatchObject({ code: 0 });
    expect(await run("import-all", ["--url", url, "--token", token, "--in", archive]))
      .toMatchObject({ code: 0 });
    await endProcess(target);
    target = null;

    // The bank's side and the address stay; only the edge behind the address is another.
    await box.stop();
    await cp(join(box.dataDir, "sandbox"), join(folder, "sandbox"), { recursive: true });
    moved = await startLocalDeno({ ...ports, dataDir: folder });
    const again = await signIn(moved, "mover@example.org");
    expect(again).toMatchObject({ userId: user.userId, created: false });
    expect(await screens(moved.edgeUrl, again.token)).toEqual(before);
    const sent = await atBank(moved, "/purchases", {
      connection_id: linked.remoteConnectionId,
      amount_cents: 1500,
      merchant: "Monoprix",
    });
    expect(sent.status).toBe(200);
    expect(
      (await screens(moved.edgeUrl, again.token)).purchases.data.map(({ amount_cents: cents }) =>
        cents
      ),
    ).toContain(1500);

    // And back: what Deno wrote is read by a fresh workerd.
    const back = join(folder, "back.archive");
    expect(await run("export-all", ["--url", moved.edgeUrl, "--token", token, "--out", back]))
      .toMatchObject({ code: 0 });
    const home = await mkdtemp(join(tmpdir(), "cagnotte-transfer-back-"));
    await writeFile(join(home, "secrets.json"), JSON.stringify(box.secrets));
    const homePort = await freePort();
    const edge = await startEdge({ port: homePort, sandboxPort: ports.sandboxPort, dataDir: home });
    try {
      const homeUrl = `http://127.0.0.1:${homePort}`;
      expect(await run("import-all", ["--url", homeUrl, "--token", token, "--in", back]))
        .toMatchObject({ code: 0, output: expect.stringMatching(/^done: \d+ lines\n$/) as string });
      const returned = await signIn(
        { edgeUrl: homeUrl, sandboxUrl: moved.sandboxUrl },
        "mover@example.org",
      );
      expect(await screens(homeUrl, returned.token)).toEqual(
        await screens(moved.edgeUrl, (await signIn(moved, "mover@example.org")).token),
      );
    } finally {
      await edge.dispose();
      await rm(home, { recursive: true, force: true });
    }
  });
});
