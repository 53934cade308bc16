// Jobs that renew every token of an aggregator. What a job has taken on and not finished lies in
// rows of its own, so that a crash anywhere leaves something that is due again.
import { and, desc, eq, lt, lte, ne, sql } from "drizzle-orm";
import { auditStatement } from "../../audit/ports.ts";
import type { AuditEvent } from "../../audit/ports.ts";
import { aggregatorLinks } from "../../db/banking-tables.ts";
import type { Database } from "../../db/database.ts";
import { tokenRenewalLinks, tokenRenewals } from "../../db/token-renewal-tables.ts";
import { newId } from "../../kernel/ids.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import type { AggregatorName } from "../ports.ts";
import { inBatch } from "./batch.ts";

export type TokenRenewal = typeof tokenRenewals.$inferSelect;
/** A link that a job has taken on. */
export type RenewalItem = {
  readonly linkId: string;
  readonly renewalId: string;
  readonly tries: number;
  readonly tryAtMs: number;
  readonly oldTokenCipher: string | null;
};

const links = aggregatorLinks;
const jobs = tokenRenewals;
const items = tokenRenewalLinks;
const itemIs = ({ linkId, renewalId }: RenewalItem) =>
  and(eq(items.linkId, linkId), eq(items.renewalId, renewalId));

/** What owners ask for and see. */
export function tokenRenewalRequests(db: Database, random: RandomBytes) {
  return {
    async tokenRenewal(id: string): Promise<TokenRenewal | null> {
      return (await db.select().from(jobs).where(eq(jobs.id, id)))[0] ?? null;
    },
    /** Newest first; one more than `limit` when there is another page. */
    async tokenRenewals(limit: number, before: string | null): Promise<readonly TokenRenewal[]> {
      return db.select().from(jobs).where(before === null ? undefined : lt(jobs.id, before))
        .orderBy(desc(jobs.id)).limit(limit + 1);
    },
    /** The job that is open for the aggregator afterwards: a new one, or the one that was. */
    async askTokenRenewal(
      asked: { aggregator: AggregatorName; reason: string; askedBy: string; askedAtMs: number },
      eventOf: (id: string) => AuditEvent,
    ): Promise<TokenRenewal | null> {
      const id = newId("rnw", asked.askedAtMs, random);
      await db.batch([
        db.insert(jobs).values({ id, ...asked, state: "waiting" }).onConflictDoNothing(),
        auditStatement(db, eventOf(id), asked.askedAtMs, random),
      ]);
      const [open] = await db.select().from(jobs).where(
        and(eq(jobs.aggregator, asked.aggregator), ne(jobs.state, "finished")),
      );
      return open ?? null;
    },
    /** Starts a job that waits; once. */
    async approveTokenRenewal(
      id: string,
      approvedBy: string,
      event: AuditEvent,
      approvedAtMs: number,
    ): Promise<void> {
      await db.batch([
        db.update(jobs).set({ state: "running", approvedBy, approvedAtMs }).where(
          and(eq(jobs.id, id), eq(jobs.state, "waiting")),
        ),
        auditStatement(db, event, approvedAtMs, random),
      ]);
    },
    /** What a job has still to do. */
    async tokenRenewalLeft(
      { id, aggregator, reachedLinkId, walked }: TokenRenewal,
    ): Promise<{ readonly notBegun: number; readonly open: number; readonly toEnd: number }> {
      const [[ahead], [taken]] = await db.batch([
        db.select({ n: sql<number>`COUNT(*)` }).from(links).where(
          sql`${walked} = 0 AND ${links.aggregator} = ${aggregator} AND ${links.id} > ${reachedLinkId} AND ${links.tokenCipher} IS NOT NULL`,
        ),
        db.select({
          open: sql<number>`COUNT(*) - COUNT(${items.oldTokenCipher})`,
          toEnd: sql<number>`COUNT(${items.oldTokenCipher})`,
        }).from(items).where(eq(items.renewalId, id)),
      ]);
      return { notBegun: ahead?.n ?? 0, open: taken?.open ?? 0, toEnd: taken?.toEnd ?? 0 };
    },
  };
}

/** What the sweep does of a job. */
export function tokenRenewalWork(db: Database) {
  return {
    async runningTokenRenewal(): Promise<TokenRenewal | null> {
      return (await db.select().from(jobs).where(eq(jobs.state, "running")).limit(1))[0] ?? null;
    },
    /**
     * Takes on the links that follow, and remembers how far it came, together or not at all. Links
     * made after the approval have tokens that nobody had when they leaked.
     */
    async takeOnLinks(job: TokenRenewal, limit: number, nowMs: number): Promise<void> {
      const ahead =
        sql`FROM ${links} WHERE ${links.aggregator} = ${job.aggregator} AND ${links.state} <> 'ended'
        AND ${links.createdAtMs} < ${job.approvedAtMs} AND ${links.id} > (SELECT j.reached_link_id FROM token_renewals j WHERE j.id = ${job.id})`;
      const farthest =
        sql`(SELECT MAX(i.link_id) FROM token_renewal_links i WHERE i.renewal_id = ${job.id})`;
      await db.batch([
        db.insert(items).select(
          sql`SELECT ${links.id}, ${job.id}, 0, ${nowMs}, NULL ${ahead} ORDER BY ${links.id} LIMIT ${limit}`,
        ).onConflictDoNothing(),
        db.update(jobs).set({
          reachedLinkId: sql`MAX(${jobs.reachedLinkId}, COALESCE(${farthest}, ''))`,
        }).where(eq(jobs.id, job.id)),
        db.update(jobs).set({ walked: sql`NOT EXISTS (SELECT 1 ${ahead})` }).where(
          eq(jobs.id, job.id),
        ),
      ]);
    },
    /** Ends a job that has nothing left; false: it has. */
    async finishTokenRenewal(id: string, nowMs: number): Promise<boolean> {
      const finished = await db.update(jobs).set({ state: "finished", finishedAtMs: nowMs }).where(
        and(
          eq(jobs.id, id),
          eq(jobs.state, "running"),
          eq(jobs.walked, 1),
          sql`NOT EXISTS (SELECT 1 FROM token_renewal_links i WHERE i.renewal_id = ${id})`,
        ),
      ).returning({ id: jobs.id });
      return finished.length > 0;
    },
    /** What is due of a job, longest first. */
    async dueRenewalItems(id: string, nowMs: number, limit: number): Promise<RenewalItem[]> {
      return db.select().from(items).where(and(eq(items.renewalId, id), lte(items.tryAtMs, nowMs)))
        .orderBy(items.tryAtMs).limit(limit);
    },
    /** Whoever claims an item has it until `untilMs`; false when another was faster. */
    async claimRenewalItem(item: RenewalItem, untilMs: number): Promise<boolean> {
      const claimed = await db.update(items).set({ tryAtMs: untilMs, tries: item.tries + 1 })
        .where(and(itemIs(item), eq(items.tryAtMs, item.tryAtMs))).returning({ id: items.linkId });
      return claimed.length > 0;
    },
    async postponeRenewalItem(item: RenewalItem, tryAtMs: number): Promise<void> {
      await db.update(items).set({ tryAtMs }).where(itemIs(item));
    },
  };
}

/** What the sweep does of one link. */
export function renewalItemWork(db: Database) {
  return {
    /** The aggregator's id of a link's user; null while it is not known, or there is no token. */
    async remoteUserOfLink(linkId: string): Promise<string | null> {
      const [row] = await db.select({ id: links.remoteUserId }).from(links).where(
        and(eq(links.id, linkId), sql`${links.tokenCipher} IS NOT NULL`),
      );
      return row?.id ?? null;
    },
    /**
     * Puts the new token in the place of the one that was read, which the item keeps until it is
     * ended, together or not at all. False when the link had another token, or none any more.
     */
    async replaceToken(
      item: RenewalItem,
      token: { readonly oldCipher: string; readonly newCipher: string },
      endOldAtMs: number,
    ): Promise<boolean> {
      const { oldCipher, newCipher } = token;
      const [replaced] = await db.batch([
        db.update(links).set({ tokenCipher: newCipher }).where(
          and(
            eq(links.id, item.linkId),
            eq(links.tokenCipher, oldCipher),
            // Another that went on with the item first: its old token must not be lost.
            sql`EXISTS (SELECT 1 FROM token_renewal_links i WHERE i.link_id = ${item.linkId} AND i.renewal_id = ${item.renewalId} AND i.old_token_cipher IS NULL)`,
          ),
        ).returning({ id: links.id }),
        db.update(items).set({ oldTokenCipher: oldCipher, tryAtMs: endOldAtMs, tries: 0 }).where(
          and(
            itemIs(item),
            sql`EXISTS (SELECT 1 FROM aggregator_links l WHERE l.id = ${item.linkId} AND l.token_cipher = ${newCipher})`,
          ),
        ),
      ]);
      return replaced.length > 0;
    },
    /** The item is done: counted once, with its row. */
    async finishRenewalItem(item: RenewalItem, as: "renewed" | "ended"): Promise<void> {
      const isThere =
        sql`EXISTS (SELECT 1 FROM token_renewal_links i WHERE i.link_id = ${item.linkId} AND i.renewal_id = ${item.renewalId})`;
      await inBatch(db, [
        db.update(jobs).set({ [as]: sql`${jobs[as]} + 1` }).where(
          and(eq(jobs.id, item.renewalId), isThere),
        ),
        db.delete(items).where(itemIs(item)),
      ]);
    },
  };
}
