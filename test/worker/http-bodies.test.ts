// Bodies and queries: shape, media type and size.
import { describe, it } from "vitest";
import { testApp } from "../support/http-app.ts";
import { json, PLANTED, probeRouter } from "../support/http-probe.ts";

const app = testApp(probeRouter());

const OPERATOR = { Authorization: "Bearer operator" };

describe("bodies", () => {
  it("of broken JSON are 400", async ({ expect }) => {
    for (const text of ["{", '{"name":', "nonsense", '{"name":"a"}}', "{'name':'a'}"]) {
      const response = await app.post("/v1/things", text);
      expect([response.status, (await json(response)).code], text).toEqual([400, "malformed_json"]);
    }
  });

  it("with unknown or bad fields are 422 with a pointer to each, and none of the values", async ({ expect }) => {
    const response = await app.post("/v1/things", {
      name: PLANTED,
      address: { zip: PLANTED, street: 1 },
      kind: PLANTED,
      points: 10,
      "odd/na~me": 1,
    });
    const problemBody = await json(response);
    expect([response.status, problemBody.code]).toEqual([422, "validation_failed"]);
    expect(
      (problemBody.errors ?? []).map(({ pointer, code, detail }) => `${pointer} ${code}: ${detail}`)
        .sort(),
    ).toEqual([
      "/address/street unknown_field: Ce champ n'existe pas",
      "/address/zip invalid_format: Ce texte n'a pas la forme voulue",
      "/kind invalid_value: Il faut une de ces valeurs : a, b",
      "/name too_big: Au plus 5 caractères",
      "/odd~1na~0me unknown_field: Ce champ n'existe pas",
      "/points too_big: Au plus 9",
    ]);
    expect(JSON.stringify(problemBody)).not.toContain(PLANTED);
    for (const wrong of [null, [], "text", 1, {}]) {
      expect((await app.post("/v1/things", wrong === "text" ? '"text"' : wrong)).status).toBe(422);
    }
  });

  it("say in the language asked for what is wrong, a field that is missing too", async ({ expect }) => {
    for (
      const [language, details] of [
        ["fr", [
          "Ce champ est obligatoire",
          "Il faut un texte",
          "Il faut un nombre",
          "Ce champ n'existe pas",
        ]],
        ["en", [
          "This field is required",
          "Must be a text",
          "Must be a number",
          "There is no such field",
        ]],
      ] as const
    ) {
      const response = await app.post("/v1/things", {
        address: { zip: 5 },
        points: PLANTED,
        extra: PLANTED,
      }, { "Accept-Language": language });
      const problemBody = await json(response);
      expect(problemBody.errors?.map(({ pointer, detail }) => [pointer, detail])).toEqual(
        ["/name", "/address/zip", "/points", "/extra"].map((
          pointer,
          index,
        ) => [pointer, details[index]]),
      );
      expect(JSON.stringify(problemBody)).not.toContain(PLANTED);
    }
  });

  it("and queries that are wrong say which parameter", async ({ expect }) => {
    expect(await (await app.fetch("/v1/things")).json()).toEqual({ limit: 20 });
    expect(await (await app.fetch("/v1/things?limit=100")).json()).toEqual({ limit: 100 });
    for (
      const query of [
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=1.5",
        "other=1",
        `cursor=${"a".repeat(1025)}`,
      ]
    ) {
      const response = await app.fetch(`/v1/things?${query}`);
      expect([response.status, (await json(response)).errors?.[0]?.pointer], query).toEqual([
        422,
        `#query/${query.split("=")[0]}`,
      ]);
    }
  });

  it("of another media type are 415", async ({ expect }) => {
    for (
      const type of [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "text/csv",
        "",
      ]
    ) {
      const response = await app.fetch("/v1/things", {
        method: "POST",
        body: new TextEncoder().encode('{"name":"a"}'),
        headers: type === "" ? {} : { "Content-Type": type },
      });
      expect([response.status, (await json(response)).code], type).toEqual([
        415,
        "unsupported_media_type",
      ]);
    }
    expect(
      (await app.post("/v1/things", { name: "a" }, {
        "Content-Type": "Application/JSON; charset=utf-8",
      })).status,
    ).toBe(200);
  });

  it("may be CSV or JSON lines for an import only", async ({ expect }) => {
    for (const type of ["text/csv", "application/x-ndjson", "application/json"]) {
      expect(
        (await app.post("/admin/v1/brands/import", "a,b", {
          ...OPERATOR,
          "Content-Type": type,
        })).status,
        type,
      ).toBe(200);
    }
    expect(
      (await app.post("/admin/v1/brands/import", "a", {
        ...OPERATOR,
        "Content-Type": "text/plain",
      })).status,
    ).toBe(415);
    expect(
      (await app.post("/admin/v1/brands/import", "x".repeat(4_194_304), {
        ...OPERATOR,
        "Content-Type": "text/csv",
      })).status,
    ).toBe(200);
    expect(
      (await app.post("/admin/v1/brands/import", "x".repeat(4_194_305), {
        ...OPERATOR,
        "Content-Type": "text/csv",
      })).status,
    ).toBe(413);
  });

  it("over the limit are 413 by their declared length", async ({ expect }) => {
    expect(await (await app.post("/v1/size", "x".repeat(65_536))).json()).toEqual({
      bytes: 65_536,
    });
    const response = await app.post("/v1/size", "x".repeat(65_537));
    expect([response.status, (await json(response)).code]).toEqual([413, "payload_too_large"]);
  });

  it("over the limit are 413 without a length too, and are not read to their end", async ({ expect }) => {
    let sent = 0;
    let cancelled = false;
    const long = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 1;
        controller.enqueue(new Uint8Array(16_384));
        if (sent === 50) controller.close();
      },
      cancel() {
        cancelled = true;
      },
    });
    const response = await app.fetch("/v1/size", {
      method: "POST",
      body: long,
      headers: { "Content-Type": "application/json" },
    });
    expect([response.status, (await json(response)).code]).toEqual([413, "payload_too_large"]);
    expect(sent).toBeLessThan(10);
    expect(cancelled).toBe(true);
  });

  it("within the limit arrive whole when streamed", async ({ expect }) => {
    const chunks = ['{"na', 'me":"', 'é"}'].map((text) => new TextEncoder().encode(text));
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        const chunk = chunks.shift();
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
    });
    const response = await app.fetch("/v1/things", {
      method: "POST",
      body: stream,
      headers: { "Content-Type": "application/json" },
    });
    expect(await response.json()).toEqual({ name: "é" });
  });

  it("of webhooks keep their own limit", async ({ expect }) => {
    expect(await (await app.post("/webhooks/powens/x", "x".repeat(200_000))).json()).toEqual({
      bytes: 200_000,
    });
  });

  it("for operators are not read before there is a token", async ({ expect }) => {
    const pulled = { count: 0 };
    const endless = () =>
      new ReadableStream<Uint8Array>({
        pull(controller) {
          pulled.count += 1;
          controller.enqueue(new Uint8Array(16_384));
        },
      }, { highWaterMark: 0 });
    const send = (headers: Record<string, string>) =>
      app.fetch("/admin/v1/brands/import", {
        method: "POST",
        body: endless(),
        headers: { "Content-Type": "text/csv", ...headers },
      });
    const anonymous = await send({});
    expect([anonymous.status, (await json(anonymous)).code, pulled.count]).toEqual([
      401,
      "token_missing",
      0,
    ]);
    expect((await send(OPERATOR)).status).toBe(413);
    expect(pulled.count).toBeGreaterThan(0);
  });

  it("of a network whose tokens fail are refused at once after thirty", async ({ expect }) => {
    const limited = testApp(probeRouter(), {
      operatorTokens: { verify: async () => ({ ok: false, error: "token_invalid" }) },
    });
    const from = async (address: string) =>
      (await limited.post("/admin/v1/brands/import", "a", {
        ...OPERATOR,
        "CF-Connecting-IP": address,
      })).status;
    for (let count = 0; count < 30; count++) expect(await from("192.0.2.1")).toBe(401);
    expect([await from("192.0.2.1"), await from("192.0.2.2")]).toEqual([429, 401]);
  });
});
