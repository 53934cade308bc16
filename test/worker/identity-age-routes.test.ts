// Operators' routes of the age reviews.
import { describe, it } from "vitest";
import { newId } from "../../src/kernel/ids.ts";
import type { UserId } from "../../src/kernel/ids.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { bindings, insightsApp, rowsOf } from "../support/insights-app.ts";
import type { InsightsApp } from "../support/insights-app.ts";

let people = 0;

/** A user with a link and a birth date that was corrected below the minimum age. */
async function held(app: InsightsApp): Promise<{ user: UserId; id: string }> {
  const user = await app.user(`age-routes${(people += 1)}@example.fr`);
  await bindings.DB.prepare(
    "INSERT INTO aggregator_links (id, user_id, aggregator, state, attempts, created_at_ms) VALUES (?, ?, 'powens', 'intended', 0, 1)",
  ).bind(newId("lnk", 1, systemRandomBytes), user).run();
  await app.identity.service.updateProfile(user, { birthDate: "2012-05-01" });
  const [row] = await rowsOf<{ id: string }>("SELECT id FROM age_reviews WHERE user_id = ?", user);
  if (row === undefined) throw new Error("no review");
  app.identity.clock.ms += 1000;
  return { user, id: row.id };
}

describe("the age reviews", () => {
  it("are listed page by page without a birth date, and decided once", async ({ expect }) => {
    const app = await insightsApp();
    const [first, second] = [await held(app), await held(app)];
    const page = await app.call("GET", "/age-reviews?limit=1", "support");
    expect(page.body.data).toEqual([{
      id: first.id,
      user_id: first.user,
      opened_at: "2026-11-14T11:00:00.000Z",
      decide_by: "2026-12-14T11:00:00.000Z",
      closed_at: null,
      decision: null,
    }]);
    expect(page.text).not.toContain("2012");
    const next = await app.call(
      "GET",
      `/age-reviews?limit=1&cursor=${String(page.body.next_cursor)}`,
      "support",
    );
    expect(next.body.data?.map((review) => review["id"])).toEqual([second.id]);
    const decide = (decision: string, as = "support", id = first.id) =>
      app.call("POST", `/age-reviews/${id}/decision`, as, { decision });
    expect((await decide("of_age")).body).toMatchObject({
      id: first.id,
      decision: { decision: "of_age", by: "support" },
    });
    expect((await decide("of_age")).status).toBe(200);
    expect((await decide("under_age")).body.code).toBe("conflict");
    expect(app.identity.ageDecisions).toEqual([`resumes ${first.user}`]);
    expect(
      (await app.call("GET", "/age-reviews?state=closed", "support")).body.data?.map((review) =>
        review["id"]
      ),
    ).toEqual([first.id]);
    expect(
      await rowsOf("SELECT actor, details FROM audit_events WHERE target = ? LIMIT 1", first.id),
    ).toEqual([{ actor: "support", details: '{"decision":"of_age"}' }]);
  });
  it("are for support, need a key, a known review and a known decision", async ({ expect }) => {
    const app = await insightsApp();
    const { id } = await held(app);
    const path = `/age-reviews/${id}/decision`;
    const body = { decision: "of_age" };
    expect((await app.call("GET", "/age-reviews", "catalogue")).status).toBe(403);
    expect((await app.call("POST", path, "catalogue", body)).status).toBe(403);
    expect((await app.call("POST", path, null, body)).status).toBe(401);
    expect((await app.call("POST", path, "support", body, null)).body.code).toBe(
      "idempotency_key_required",
    );
    expect((await app.call("POST", path, "support", { decision: "count" })).status).toBe(422);
    expect((await app.call("POST", "/age-reviews/agr_none/decision", "support", body)).status).toBe(
      404,
    );
    expect((await app.call("GET", "/age-reviews?cursor=x", "support")).body.code).toBe(
      "cursor_invalid",
    );
    expect(app.identity.ageDecisions).toEqual([]);
  });
  it("and the notices of a user leave with an erasure", async ({ expect }) => {
    const app = await insightsApp();
    const { user } = await held(app);
    expect(await rowsOf("SELECT kind FROM user_notices WHERE user_id = ?", user)).not.toEqual([]);
    for (let times = 0; times < 2; times++) await app.privacy.erase(user);
    expect(await rowsOf("SELECT id FROM age_reviews WHERE user_id = ?", user)).toEqual([]);
    expect(await rowsOf("SELECT kind FROM user_notices WHERE user_id = ?", user)).toEqual([]);
  });
});
