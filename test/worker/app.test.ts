import { exports } from "cloudflare:workers";
import { describe, it } from "vitest";

const edge = (exports as unknown as { default: Fetcher }).default;

describe("application", () => {
  it("answers an unknown path with a problem in French, and in English when asked", async ({ expect }) => {
    const french = await edge.fetch("http://edge/v1/nothing");
    expect(french.status).toBe(404);
    expect(french.headers.get("Content-Type")).toBe("application/problem+json");
    expect(await french.json()).toMatchObject({
      code: "not_found",
      status: 404,
      title: "Introuvable",
    });
    const english = await edge.fetch("http://edge/v1/nothing", {
      headers: { "Accept-Language": "fr;q=0.5, en-GB" },
    });
    expect(await english.json()).toMatchObject({ title: "Not found" });
  });

  it("numbers every answer and forbids keeping it", async ({ expect }) => {
    const answer = await edge.fetch("http://edge/v1/nothing");
    expect(answer.headers.get("X-Request-Id")).toMatch(/^req_/);
    expect(answer.headers.get("Cache-Control")).toContain("no-store");
  });

  it("refuses a body of another media type and one over the limit", async ({ expect }) => {
    const form = await edge.fetch("http://edge/v1/auth/codes", {
      method: "POST",
      body: "a=b",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
    });
    expect(form.status).toBe(415);
    const large = await edge.fetch("http://edge/v1/auth/codes", {
      method: "POST",
      body: JSON.stringify("x".repeat(70_000)),
      headers: { "Content-Type": "application/json" },
    });
    expect(large.status).toBe(413);
  });

  it("describes itself as OpenAPI 3.1", async ({ expect }) => {
    const document = await (await edge.fetch("http://edge/openapi.json")).json<
      { openapi: string }
    >();
    expect(document.openapi).toBe("3.1.0");
  });

  it("hides the local clock where there is none", async ({ expect }) => {
    const answer = await edge.fetch("http://edge/__local/clock", {
      method: "POST",
      body: "{}",
      headers: { "Content-Type": "application/json" },
    });
    expect(answer.status).toBe(404);
  });
});
