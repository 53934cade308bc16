// Sends the notices that wait. A crash between sending and noting it sends one again: twice is
// better than never.
import type { Keyring } from "../../kernel/keyring.ts";
import type { Log } from "../../kernel/log.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../kernel/time.ts";
import type { Clock } from "../../kernel/time.ts";
import type { Id, SessionId, UserId } from "../../kernel/ids.ts";
import { noticeMail } from "../notice-mail.ts";
import type { Mailer } from "../ports.ts";
import type { IdentityStore, NoticeRow } from "../store/index.ts";
import { UNDO_TTL_MS, undoToken } from "../undo-token.ts";
import type { ContactBook } from "./contact.ts";

type NoticesDeps = {
  readonly store: Pick<
    IdentityStore,
    "dueNotices" | "claimNotice" | "finishNotice" | "purgeNotices"
  >;
  readonly contacts: ContactBook;
  readonly mailer: Mailer;
  readonly clock: Clock;
  readonly log: Log;
  readonly index: Keyring;
  readonly publicUrl: string;
};

const ROUND_NOTICES = 20;
/** Longer than a provider may take to answer, so that no two rounds send the same one. */
const RETRY_FIRST_MS = 5 * MINUTE_MS;
const RETRY_MAX_MS = 6 * HOUR_MS;
const GIVE_UP_AFTER_MS = 7 * DAY_MS;
const KEPT_MS = 60 * DAY_MS;

/** One bounded round; true when there may be more to send now. */
export async function sendNotices(deps: NoticesDeps): Promise<boolean> {
  const { store, clock } = deps;
  await store.purgeNotices(clock.nowMs() - KEPT_MS);
  const due = await store.dueNotices(clock.nowMs(), ROUND_NOTICES);
  for (const notice of due) await sendOne(deps, notice);
  return due.length >= ROUND_NOTICES;
}

async function sendOne(deps: NoticesDeps, notice: NoticeRow): Promise<void> {
  const { store, contacts, mailer, clock, log } = deps;
  const nowMs = clock.nowMs();
  const retryMs = Math.min(RETRY_FIRST_MS * 2 ** notice.tries, RETRY_MAX_MS);
  if (!(await store.claimNotice(notice, nowMs + retryMs))) return;
  const details = JSON.parse(notice.details) as Readonly<Record<string, unknown>>;
  // Whoever changed the address reads what comes to the new one.
  const contact = notice.kind === "email_changed"
    ? await contacts.formerContactOf(String(details["changeId"]))
    : await contacts.contactOf(notice.userId as UserId);
  if (contact !== null) {
    const sent = await mailer.send({
      to: contact.email,
      ...noticeMail(notice.kind, details, contact.locale, undoLink(deps, notice, details)),
    });
    if (sent.ok) {
      await store.finishNotice(notice.id, clock.nowMs());
      return;
    }
  }
  if (nowMs - notice.createdAtMs >= GIVE_UP_AFTER_MS) {
    log.alert("notice_given_up", { user: notice.userId, kind: notice.kind });
    await store.finishNotice(notice.id, null);
  }
}

/**
 * The link of a notice about something that can be undone. The token lies behind `#`, which no
 * server sees, and the page it opens changes nothing by itself: mail scanners follow links.
 */
function undoLink(
  deps: NoticesDeps,
  notice: NoticeRow,
  details: Readonly<Record<string, unknown>>,
): string | null {
  const undoable = notice.kind === "session_opened"
    ? { kind: "session", id: details["sessionId"] as SessionId } as const
    : notice.kind === "email_changed"
    ? { kind: "email", id: details["changeId"] as Id<"emc"> } as const
    : null;
  if (undoable === null) return null;
  const token = undoToken(deps.index, undoable, notice.createdAtMs + UNDO_TTL_MS);
  return `${deps.publicUrl}/undo#${token}`;
}
