// Whatever way a call to another service fails, one line says which host and which class.
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, it } from "vitest";
import { jsonLog } from "../../../src/kernel/log.ts";
import { loggedFetch } from "../../../src/kernel/outgoing.ts";

let server: Server;
let address = "";
beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === "/broken") {
      response.writeHead(200, { "Content-Length": "100" });
      response.write("half");
      setTimeout(() => response.destroy(), 20);
      return;
    }
    response.writeHead(Number(/^\/(\d+)/.exec(request.url ?? "")?.[1]), { "X-Kept": "yes" });
    response.end(request.url === "/204" ? undefined : "body");
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

function watched() {
  const lines: unknown[] = [];
  const log = jsonLog((line) => lines.push(JSON.parse(line)));
  return { send: loggedFetch((input, init) => fetch(input, init), log), lines };
}

describe("loggedFetch()", () => {
  it("passes answers on as they are, and is silent about those that are no failure of the service", async ({ expect }) => {
    const { send, lines } = watched();
    for (const status of [200, 204, 404, 429]) {
      const response = await send(`http://${address}/${status}`);
      expect([response.status, response.headers.get("X-Kept"), await response.text()]).toEqual([
        status,
        "yes",
        status === 204 ? "" : "body",
      ]);
    }
    expect(lines).toEqual([]);
  });

  it("logs an answer of 500 and above with its status", async ({ expect }) => {
    const { send, lines } = watched();
    expect(await (await send(new URL(`http://${address}/503?secret=1`))).text()).toBe("body");
    expect(lines).toEqual([
      { level: "alert", event: "outgoing_call_failed", host: address, status: 503 },
    ]);
  });

  it("logs a call that nobody answers, and throws what it threw", async ({ expect }) => {
    const { send, lines } = watched();
    await expect(send("http://127.0.0.1:1/secret")).rejects.toThrow(TypeError);
    const late = send(new Request(`http://${address}/200`), { signal: AbortSignal.abort() });
    await expect(late).rejects.toMatchObject({ name: "AbortError" });
    expect(lines).toEqual([
      { level: "alert", event: "outgoing_call_failed", host: "127.0.0.1:1", error: "TypeError" },
      { level: "alert", event: "outgoing_call_failed", host: address, error: "AbortError" },
    ]);
  });

  it("logs a body that breaks off, once", async ({ expect }) => {
    const { send, lines } = watched();
    const response = await send(`http://${address}/broken`);
    await expect(response.text()).rejects.toThrow(TypeError);
    expect(lines).toEqual([
      { level: "alert", event: "outgoing_call_failed", host: address, error: "TypeError" },
    ]);
  });
});
