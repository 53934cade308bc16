// The e-mails that wait to be sent. Whatever they are about adds them (db/notice-tables.ts).
import { and, eq, isNull, lte, sql } from "drizzle-orm";
import type { Database } from "../../db/database.ts";
import { notices } from "../../db/notice-tables.ts";
import type { UserId } from "../../kernel/ids.ts";

export type NoticeRow = typeof notices.$inferSelect;

export function noticeStore(db: Database) {
  return {
    async dueNotices(nowMs: number, limit: number): Promise<NoticeRow[]> {
      return db.select().from(notices).where(
        sql`${notices.nextTryAtMs} IS NOT NULL AND ${notices.nextTryAtMs} <= ${nowMs}`,
      ).orderBy(notices.nextTryAtMs).limit(limit);
    },
    /** Takes the right to try now; false when another round did. The next try is at `untilMs`. */
    async claimNotice(notice: NoticeRow, untilMs: number): Promise<boolean> {
      const claimed = await db.update(notices).set({
        tries: notice.tries + 1,
        nextTryAtMs: untilMs,
      }).where(
        and(eq(notices.id, notice.id), eq(notices.tries, notice.tries), isNull(notices.sentAtMs)),
      ).returning({ id: notices.id });
      return claimed.length === 1;
    },
    /** Sent, or `null`: given up. */
    async finishNotice(id: string, sentAtMs: number | null): Promise<void> {
      await db.update(notices).set({ sentAtMs, nextTryAtMs: null }).where(eq(notices.id, id));
    },
    async purgeNotices(beforeMs: number): Promise<void> {
      await db.delete(notices).where(
        and(lte(notices.createdAtMs, beforeMs), isNull(notices.nextTryAtMs)),
      );
    },
    async forgetNotices(userId: UserId): Promise<void> {
      await db.delete(notices).where(eq(notices.userId, userId));
    },
  };
}
