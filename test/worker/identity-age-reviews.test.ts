// A birth date corrected below the minimum age after a bank was linked: nothing earns until a
// person decides, within 30 days; the user is told by mail.
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import { contactBook } from "../../src/identity/service/contact.ts";
import { sendNotices } from "../../src/identity/service/notices.ts";
import { identityStore } from "../../src/identity/store/index.ts";
import type { UserId } from "../../src/kernel/ids.ts";
import { newId } from "../../src/kernel/ids.ts";
import { jsonLog } from "../../src/kernel/log.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { err, ok } from "../../src/kernel/result.ts";
import { identityApp } from "../support/identity-app.ts";
import type { IdentityApp, SentMail, Tokens } from "../support/identity-app.ts";

const DB = (env as unknown as { DB: D1Database }).DB;
const DAY_MS = 86_400_000;
let serial = 0;
const someone = (): string => `someone${++serial}@age.test`;

type Review = {
  readonly id: string;
  readonly decide_by_ms: number;
  readonly decision: string | null;
  readonly closed_at_ms: number | null;
};
const reviewsOf = async (user: Tokens): Promise<Review[]> =>
  (await DB.prepare(
    "SELECT id, decide_by_ms, decision, closed_at_ms FROM age_reviews WHERE user_id = ? ORDER BY opened_at_ms",
  ).bind(user.user.id).all<Review>()).results;
const birth = (app: IdentityApp, user: Tokens, date: string | null): Promise<Response> =>
  app.request("PATCH", "/v1/me", { birth_date: date }, app.bearer(user));
const gate = (app: IdentityApp, user: Tokens) => app.service.linkGate(user.user.id as UserId);

/** A user with a birth date, known at the aggregator or not. */
async function person(app: IdentityApp, linked: boolean): Promise<Tokens> {
  const user = await app.signIn(someone());
  await birth(app, user, "1990-05-01");
  if (linked) {
    await DB.prepare(
      "INSERT INTO aggregator_links (id, user_id, aggregator, state, attempts, created_at_ms) VALUES (?, ?, 'powens', 'intended', 0, 1)",
    ).bind(newId("lnk", 1, systemRandomBytes), user.user.id).run();
  }
  return user;
}
async function held(app: IdentityApp): Promise<{ user: Tokens; review: Review }> {
  const user = await person(app, true);
  if ((await birth(app, user, "2012-05-01")).status !== 200) throw new Error("not corrected");
  const [review] = await reviewsOf(user);
  if (review === undefined) throw new Error("no review");
  return { user, review };
}
const OPERATOR = {
  actorKind: "operator",
  actor: "zoe",
  action: "age_review.decide",
  target: "",
  details: {},
} as const;
const decide = (app: IdentityApp, id: string, decision: "of_age" | "under_age") =>
  app.service.decideAgeReview(id, decision, { ...OPERATOR, target: id, details: { decision } });

/** One round of mails, to a provider that takes them or not. */
async function mailed(app: IdentityApp, taken = true): Promise<SentMail[]> {
  const sent: SentMail[] = [];
  const store = identityStore(app.db, systemRandomBytes, app.seals);
  const log = jsonLog((line) => app.logLines.push(line));
  await sendNotices({
    store,
    contacts: contactBook({
      store,
      encryption: app.keyrings.encryption,
      random: systemRandomBytes,
      log,
    }),
    mailer: {
      send: async (mail) => {
        if (!taken) return err({ code: "email_unavailable" });
        sent.push(mail);
        return ok(null);
      },
    },
    clock: app.clock,
    log,
    index: app.keyrings.index,
    publicUrl: "https://api.cagnotte.test",
  });
  return sent.filter((mail) => !mail.html.includes("/undo#"));
}
const startingEmpty = async (): Promise<void> => {
  await DB.exec("DELETE FROM user_notices");
  await DB.exec(
    "UPDATE age_reviews SET decision = 'of_age', decided_by = 'x', decided_at_ms = 1, closed_at_ms = 1 WHERE closed_at_ms IS NULL",
  );
};

describe("a birth date below the minimum age", () => {
  it("after a bank was linked opens one review, keeps from linking, and is told by mail", async ({ expect }) => {
    await startingEmpty();
    const app = await identityApp(DB);
    const { user, review } = await held(app);
    expect(review).toMatchObject({
      decision: null,
      closed_at_ms: null,
      decide_by_ms: app.clock.ms + 30 * DAY_MS,
    });
    expect(await gate(app, user)).toMatchObject({ oldEnough: false });
    // Another date settles nothing, nor does the same one again.
    for (const date of ["2012-05-02", "1990-05-01", null]) await birth(app, user, date);
    expect(await reviewsOf(user)).toHaveLength(1);
    expect(await gate(app, user)).toMatchObject({ oldEnough: false });
    const [mail, ...more] = await mailed(app);
    expect(more).toEqual([]);
    expect(mail?.subject).toBe("Vos gains sont suspendus");
    expect(mail?.text).toContain("moins de 18 ans");
    expect(mail?.text).toContain("23 décembre 2026");
    expect(mail?.text).not.toContain("2012");
    expect(await mailed(app)).toEqual([]);
  });
  it("before any link, or of age, opens none", async ({ expect }) => {
    const app = await identityApp(DB);
    const before = await person(app, false);
    await birth(app, before, "2012-05-01");
    const grown = await person(app, true);
    // Eighteen on this very day.
    await birth(app, grown, "2008-11-23");
    expect([await reviewsOf(before), await reviewsOf(grown)]).toEqual([[], []]);
    await birth(app, grown, "2008-11-24");
    expect(await reviewsOf(grown)).toHaveLength(1);
  });
  it("in the future is refused and changes nothing", async ({ expect }) => {
    const app = await identityApp(DB);
    const user = await person(app, true);
    for (const date of ["2026-11-24", "2030-01-01", "2026-11-23"]) {
      const answer = await birth(app, user, date);
      expect([answer.status, (await answer.json<{ code: string }>()).code]).toEqual([
        422,
        "validation_failed",
      ]);
    }
    expect(await reviewsOf(user)).toEqual([]);
    expect(await gate(app, user)).toMatchObject({ oldEnough: true });
  });
  it("corrected at the same moment twice opens one review", async ({ expect }) => {
    const app = await identityApp(DB);
    const user = await person(app, true);
    await Promise.all([birth(app, user, "2012-05-01"), birth(app, user, "2013-05-01")]);
    expect(await reviewsOf(user)).toHaveLength(1);
  });
});

describe("the decision", () => {
  it("of age: earning resumes, the user is told, and may link again", async ({ expect }) => {
    await startingEmpty();
    const app = await identityApp(DB);
    const { user, review } = await held(app);
    await birth(app, user, "1990-05-01");
    await mailed(app);
    for (let times = 0; times < 2; times++) {
      expect(await decide(app, review.id, "of_age")).toMatchObject({
        ok: true,
        value: { decision: "of_age", decidedBy: "zoe", closedAtMs: app.clock.ms },
      });
    }
    expect(app.ageDecisions).toEqual([`resumes ${user.user.id}`]);
    expect(await gate(app, user)).toMatchObject({ oldEnough: true });
    expect(await decide(app, review.id, "under_age")).toEqual({
      ok: false,
      error: { code: "decided" },
    });
    expect((await mailed(app)).map(({ subject }) => subject)).toEqual([
      "Vos comptes gagnent à nouveau",
    ]);
    // A second mistake is a second review.
    await birth(app, user, "2012-05-01");
    expect(await reviewsOf(user)).toHaveLength(2);
  });
  it("under age: the connections end; what fails is finished by the sweep", async ({ expect }) => {
    await startingEmpty();
    const app = await identityApp(DB);
    const { user, review } = await held(app);
    await mailed(app);
    app.switches.listenerDown = true;
    await expect(decide(app, review.id, "under_age")).rejects.toThrow("aggregator down");
    expect((await reviewsOf(user))[0]).toMatchObject({ decision: "under_age", closed_at_ms: null });
    app.clock.ms += 3 * 60_000;
    await app.service.finishAgeReviews();
    expect(app.logLines.join()).toContain("age_review_unfinished");
    app.switches.listenerDown = false;
    await app.service.finishAgeReviews();
    await app.service.finishAgeReviews();
    expect(app.ageDecisions).toEqual([`ends ${user.user.id}`]);
    expect((await mailed(app)).map(({ subject }) => subject)).toEqual([
      "Vos connexions bancaires ont pris fin",
    ]);
  });
  it("of nobody within 30 days ends the connections", async ({ expect }) => {
    await startingEmpty();
    const app = await identityApp(DB);
    const { user, review } = await held(app);
    app.clock.ms = review.decide_by_ms - 1;
    await app.service.finishAgeReviews();
    expect((await reviewsOf(user))[0]).toMatchObject({ decision: null });
    app.clock.ms += 1;
    await app.service.finishAgeReviews();
    app.clock.ms += 3 * 60_000;
    await app.service.finishAgeReviews();
    expect(app.ageDecisions).toEqual([`ends ${user.user.id}`]);
    expect((await reviewsOf(user))[0]).toMatchObject({ decision: "lapsed" });
    expect(await decide(app, review.id, "of_age")).toEqual({
      ok: false,
      error: { code: "decided" },
    });
    expect(
      await DB.prepare(
        "SELECT actor_kind FROM audit_events WHERE target = ? AND action = 'age_review.lapse'",
      )
        .bind(review.id).first("actor_kind"),
    ).toBe("system");
  });
  it("of a review that does not exist is not found", async ({ expect }) => {
    const app = await identityApp(DB);
    expect(await decide(app, newId("agr", 1, systemRandomBytes), "of_age")).toEqual({
      ok: false,
      error: { code: "not_found" },
    });
  });
});

describe("a notice", () => {
  it("is sent again later while the provider fails, in the user's language, and given up after a week", async ({ expect }) => {
    await startingEmpty();
    const app = await identityApp(DB);
    const { user } = await held(app);
    await app.service.updateProfile(user.user.id as UserId, { locale: "en" });
    expect(await mailed(app, false)).toEqual([]);
    expect(await mailed(app)).toEqual([]);
    app.clock.ms += 5 * 60_000;
    expect((await mailed(app)).map(({ subject }) => subject)).toEqual([
      "Your earning is suspended",
    ]);
    await DB.exec("UPDATE user_notices SET sent_at_ms = NULL, next_try_at_ms = 0");
    app.clock.ms += 7 * DAY_MS;
    await mailed(app, false);
    expect(app.logLines.join()).toContain("notice_given_up");
    app.clock.ms += DAY_MS;
    expect(await mailed(app)).toEqual([]);
    app.clock.ms += 60 * DAY_MS;
    await mailed(app);
    expect(await DB.prepare("SELECT count(*) AS n FROM user_notices").first("n")).toBe(0);
  });
  it("is sent by one of two rounds at once, and to nobody who is being erased", async ({ expect }) => {
    await startingEmpty();
    const app = await identityApp(DB);
    await held(app);
    expect((await Promise.all([mailed(app), mailed(app)])).flat()).toHaveLength(1);
    const { user } = await held(app);
    await DB.prepare("UPDATE users SET state = 'erasing' WHERE id = ?").bind(user.user.id).run();
    expect(await mailed(app)).toEqual([]);
  });
});

describe("a decision that only the database says was made", () => {
  it("neither lets the user earn nor ends anything, and is no decision", async ({ expect }) => {
    await startingEmpty();
    const app = await identityApp(DB);
    const { user, review } = await held(app);
    // From now on only the review keeps the user from linking.
    await birth(app, user, "1990-05-01");
    for (const decision of ["of_age", "under_age"]) {
      await DB.prepare(
        "UPDATE age_reviews SET decision = ?, decided_by = 'zoe', decided_at_ms = 1 WHERE id = ?",
      ).bind(decision, review.id).run();
      await app.service.finishAgeReviews();
      expect(await gate(app, user)).toMatchObject({ oldEnough: false });
      expect(await reviewsOf(user)).toMatchObject([{ closed_at_ms: null }]);
      expect(await decide(app, review.id, "of_age")).toMatchObject({
        ok: false,
        error: { code: "not_found" },
      });
    }
    expect(app.logLines.join()).toContain("row_seal_broken");
  });

  it("is none either when it was made for another user's review", async ({ expect }) => {
    await startingEmpty();
    const app = await identityApp(DB);
    const [first, second] = [await held(app), await held(app)];
    for (const { user } of [first, second]) await birth(app, user, "1990-05-01");
    expect((await decide(app, first.review.id, "of_age")).ok).toBe(true);
    await DB.prepare(
      `UPDATE age_reviews SET (decision, decided_by, decided_at_ms, seal) =
        (SELECT decision, decided_by, decided_at_ms, seal FROM age_reviews WHERE id = ?) WHERE id = ?`,
    ).bind(first.review.id, second.review.id).run();
    expect(await gate(app, first.user)).toMatchObject({ oldEnough: true });
    expect(await gate(app, second.user)).toMatchObject({ oldEnough: false });
  });
});
