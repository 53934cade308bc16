// The parts of a Deno server around the ledgers: the lock, the gate, limits, clock, pages, loops.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, test } from "vitest";
import { jsonLog } from "../../../src/kernel/log.ts";
import { folderAssets } from "../../../src/platform/deno/assets.ts";
import { localClock } from "../../../src/platform/deno/clock.ts";
import { clientAddress, openGate } from "../../../src/platform/deno/gate.ts";
import { lockDataFolder } from "../../../src/platform/deno/lock.ts";
import { startLoop } from "../../../src/platform/deno/loops.ts";
import { processLimiter } from "../../../src/platform/deno/rate-limit.ts";

const folder = mkdtempSync(join(tmpdir(), "cagnotte-deno-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let number = 0;
const newFolder = (): string => {
  const path = join(folder, String(number++));
  mkdirSync(path);
  return path;
};

describe("the data folder", () => {
  test("is refused to a second process, and free once the first is gone, however it went", ({ expect }) => {
    const dir = newFolder();
    const script = `import { lockDataFolder } from ${
      JSON.stringify(new URL("../../../src/platform/deno/lock.ts", import.meta.url).href)
    };
      console.log(JSON.stringify(lockDataFolder(${
      JSON.stringify(dir)
    }).ok)); process.kill(process.pid, "SIGKILL");`;
    const other = () =>
      spawnSync(process.execPath, ["--no-warnings", "--input-type=module", "-e", script], {
        encoding: "utf8",
        timeout: 10_000,
      }).stdout.trim();
    const lock = lockDataFolder(dir);
    expect(lock.ok).toBe(true);
    expect(other()).toBe("false");
    if (lock.ok) lock.value.release();
    expect(other()).toBe("true");
    expect(other()).toBe("true");
    expect(statSync(dir).mode & 0o777).toBe(0o700);
  });
});

describe("the gate", () => {
  const quiet = { trustedProxies: new Set<string>(), log: { info: () => {}, alert: () => {} } };
  const echo = async (request: Request): Promise<Response> =>
    Response.json({ address: request.headers.get("CF-Connecting-IP"), body: await request.text() });

  test("says who calls and drops what the caller wrote", async ({ expect }) => {
    const gate = openGate({ ...quiet, handle: echo });
    const request = new Request("http://x/", {
      method: "POST",
      body: "hello",
      headers: { "CF-Connecting-IP": "1.2.3.4", "X-Forwarded-For": "5.6.7.8" },
    });
    expect(await (await gate.fetch(request, "9.9.9.9")).json()).toEqual({
      address: "9.9.9.9",
      body: "hello",
    });
  });

  test.for(
    [
      ["203.0.113.5", null, "203.0.113.5"],
      ["203.0.113.5", "198.51.100.1", "203.0.113.5"],
      ["127.0.0.1", "198.51.100.1", "198.51.100.1"],
      ["127.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"],
      ["127.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"],
      ["127.0.0.1", null, "127.0.0.1"],
      ["127.0.0.1", " , ", "127.0.0.1"],
      // What some proxies write: a port, brackets, a word.
      ["127.0.0.1", "198.51.100.1:51234", "198.51.100.1"],
      ["127.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2:443", "198.51.100.1"],
      ["127.0.0.1", "[2001:DB8::1]:443", "2001:db8::1"],
      ["127.0.0.1", "2001:db8::1", "2001:db8::1"],
      ["127.0.0.1", "unknown", "127.0.0.1"],
      ["127.0.0.1", "198.51.100.1, <script>", "127.0.0.1"],
      ["::ffff:127.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"],
    ] as const,
  )(
    "from %s with X-Forwarded-For %s the caller is %s",
    ([remote, forwarded, expected], { expect }) => {
      expect(clientAddress(remote, forwarded, new Set(["127.0.0.1", "10.0.0.2"]))).toBe(expected);
    },
  );

  test.for(
    [
      ["TRACE", "http://x/", 405],
      ["TRACK", "http://x/", 405],
      ["CONNECT", "http://x/", 405],
      ["PROPFIND", "http://x/", 405],
      ["GET", "http://a b/v1/me?email=planted", 400],
      ["GET", null, 400],
    ] as const,
  )(
    "of %s %s no request can be made: %i, and nothing is thrown",
    async ([method, url, status], { expect }) => {
      let asked = 0;
      const gate = openGate({
        ...quiet,
        handle: async () => {
          asked += 1;
          return new Response();
        },
      });
      // What Deno gives for such a line: a request whose address throws when it is read.
      const raw = {
        method,
        headers: new Headers(),
        body: null,
        get url(): string {
          if (url === null) throw new TypeError("Invalid URL: 'http://a b/?email=planted'");
          return url;
        },
      } as unknown as Request;
      const answer = await gate.fetch(raw, "9.9.9.9");
      expect([answer.status, answer.headers.get("Allow") === null, asked]).toEqual([
        status,
        status === 400,
        0,
      ]);
    },
  );

  test("says the class of a failure behind it and nothing more", async ({ expect }) => {
    const lines: string[] = [];
    const gate = openGate({
      trustedProxies: new Set(),
      log: jsonLog((line) => lines.push(line)),
      handle: async () => {
        throw new RangeError("planted");
      },
    });
    const answer = await gate.fetch(new Request("http://x/?q=planted"), "9.9.9.9");
    expect([answer.status, await answer.text()]).toEqual([500, ""]);
    expect(lines).toEqual(['{"level":"alert","event":"request_failed","error":"RangeError"}']);
  });

  test("calls for a person once when a proxy is in front that nobody named", async ({ expect }) => {
    const lines: string[] = [];
    const gate = openGate({
      handle: echo,
      trustedProxies: new Set(["127.0.0.1"]),
      log: jsonLog((line) => lines.push(line)),
    });
    const through = (address: string) =>
      gate.fetch(new Request("http://x/", { headers: { "X-Forwarded-For": "1.2.3.4" } }), address);
    await through("127.0.0.1");
    expect(lines).toEqual([]);
    await through("10.0.0.9");
    await through("10.0.0.9");
    expect(lines).toEqual(['{"level":"alert","event":"proxy_not_trusted"}']);
  });

  test("closing finishes what was accepted and refuses what comes", async ({ expect }) => {
    let finish: () => void = () => {};
    const gate = openGate({
      ...quiet,
      handle: () => new Promise((resolve) => void (finish = () => resolve(new Response("done")))),
    });
    const accepted = gate.fetch(new Request("http://x/"), "9.9.9.9");
    let closed = false;
    const closing = gate.close(10_000).then(() => void (closed = true));
    expect((await gate.fetch(new Request("http://x/"), "9.9.9.9")).status).toBe(503);
    expect(closed).toBe(false);
    finish();
    expect(await (await accepted).text()).toBe("done");
    await closing;
    expect(closed).toBe(true);
  });

  test("closing does not wait for ever", async ({ expect }) => {
    const gate = openGate({ ...quiet, handle: () => new Promise(() => {}) });
    void gate.fetch(new Request("http://x/"), "9.9.9.9");
    await expect(gate.close(5)).resolves.toBeUndefined();
  });
});

describe("limits", () => {
  test("count per key and window", async ({ expect }) => {
    let nowMs = 0;
    const limiter = processLimiter({
      name: "auth",
      limit: 2,
      windowS: 60,
      monotonicMs: () => nowMs,
    });
    expect([
      await limiter.allow("a"),
      await limiter.allow("a"),
      await limiter.allow("a"),
      await limiter.allow("b"),
    ]).toEqual([true, true, false, true]);
    nowMs = 59_999;
    expect(await limiter.allow("a")).toBe(false);
    nowMs = 60_000;
    expect(await limiter.allow("a")).toBe(true);
  });

  test("keep a bounded number of keys", async ({ expect }) => {
    const limiter = processLimiter({
      name: "auth",
      limit: 1,
      windowS: 60,
      monotonicMs: () => 0,
      keysMax: 2,
    });
    for (const key of ["a", "b", "c"]) await limiter.allow(key);
    // The newest two are still known; the oldest was forgotten.
    expect([await limiter.allow("c"), await limiter.allow("b"), await limiter.allow("a")]).toEqual([
      false,
      false,
      true,
    ]);
  });
});

describe("the local clock", () => {
  test("is a file that another process may move", async ({ expect }) => {
    const dir = newFolder();
    const [one, two] = [localClock(dir), localClock(dir)];
    await one.advance(3_600_000);
    expect(two.nowMs() - Date.now()).toBeLessThan(1000);
    two.refresh();
    expect(two.nowMs() - Date.now()).toBeGreaterThan(3_599_000);
    expect(localClock(dir).nowMs() - Date.now()).toBeGreaterThan(3_599_000);
    await expect(one.advance(-1)).rejects.toThrow();
  });
});

describe("the pages", () => {
  test("are those of the folder and nothing outside it", async ({ expect }) => {
    const dir = newFolder();
    mkdirSync(join(dir, "docs"));
    writeFileSync(join(dir, "docs", "index.html"), "<p>page</p>");
    writeFileSync(join(folder, "outside.html"), "outside");
    const assets = folderAssets(dir);
    const get = async (path: string) => assets(new Request(`http://x${path}`));
    expect(await (await get("/docs")).text()).toBe("<p>page</p>");
    expect((await get("/docs/")).headers.get("Content-Type")).toBe("text/html; charset=utf-8");
    for (
      const path of [
        "/outside.html",
        "/../outside.html",
        "/%2e%2e/outside.html",
        "/docs/..%2f..%2foutside.html",
        "/docs/missing.js",
      ]
    ) expect((await get(path)).status).toBe(404);
    expect((await folderAssets(join(dir, "absent"))(new Request("http://x/docs"))).status).toBe(
      404,
    );
  });
});

describe("loops", () => {
  test("go on after a failure, and stopping waits for the round that runs", async ({ expect }) => {
    const failures: unknown[] = [];
    let rounds = 0;
    let finish: () => void = () => {};
    const third = new Promise<void>((reached) => {
      const loop = startLoop({
        firstMs: 0,
        everyMs: 0,
        failed: (error) => void failures.push(error),
        round: async () => {
          rounds += 1;
          if (rounds === 1) throw new Error("first");
          if (rounds < 3) return;
          reached();
          await new Promise<void>((resolve) => void (finish = resolve));
        },
      });
      stop = loop.stop;
    });
    await third;
    let stopped = false;
    const stopping = stop().then(() => void (stopped = true));
    await new Promise((next) => setTimeout(next, 5));
    expect(stopped).toBe(false);
    finish();
    await stopping;
    expect([rounds, failures.length]).toEqual([3, 1]);
  });
  let stop: () => Promise<void> = async () => {};
});
