// The oracle's expiry notices: 30 and 7 days before, lots of one day together, none for a day that
// was announced already.
import { DAY_MS, HOUR_MS, parisDate } from "../../src/kernel/time.ts";
import type { ModelBook, ModelLot } from "./model-lots.ts";

export type ModelNotice = {
  readonly daysBefore: 30 | 7;
  readonly expiresOn: string;
  readonly lots: readonly { readonly lot: ModelLot }[];
  readonly points: number;
};

/** After a refusal of the mailbox, none is tried for so long. */
const RETRY_MS = HOUR_MS;

export class ModelNotices {
  readonly #book: ModelBook;
  #quietUntilMs = 0;

  constructor(book: ModelBook) {
    this.#book = book;
  }

  due(nowMs: number): ModelNotice[] {
    if (nowMs < this.#quietUntilMs) return [];
    const notices = new Map<string, ModelNotice>();
    for (const lot of this.#book.lots) {
      if (lot.remaining === 0 || lot.expiresAtMs > nowMs + 30 * DAY_MS) continue;
      const daysBefore = lot.expiresAtMs - nowMs <= 7 * DAY_MS ? 7 : 30;
      if (daysBefore === 7 ? lot.toldWeek : lot.firstNoticeMs !== null) continue;
      // A first notice so late moves the day: a week is what the user has at least.
      const expiresOn = parisDate(
        lot.firstNoticeMs === null && daysBefore === 7
          ? Math.max(lot.expiresAtMs, nowMs + 7 * DAY_MS)
          : lot.expiresAtMs,
      );
      const key = `${expiresOn} ${daysBefore}`;
      const { lots, points } = notices.get(key) ?? { lots: [], points: 0 };
      notices.set(key, {
        daysBefore,
        expiresOn,
        lots: [...lots, { lot }],
        points: points + lot.remaining,
      });
    }
    return [...notices.values()];
  }

  /** The notice left: only now may these points expire, unless they have a later day meanwhile. */
  sent(notice: ModelNotice, nowMs: number): void {
    for (const { lot } of notice.lots) {
      if (parisDate(lot.expiresAtMs) > notice.expiresOn) continue;
      lot.firstNoticeMs ??= nowMs;
      if (notice.daysBefore === 7) lot.toldWeek = true;
    }
  }

  refused(nowMs: number): void {
    this.#quietUntilMs = nowMs + RETRY_MS;
  }
}
