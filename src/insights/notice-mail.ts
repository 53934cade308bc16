// The e-mail that announces an expiry: how many points, what they are worth, until when. No link,
// like all our mail. Pure.
import { addDays } from "../kernel/time.ts";
import type { NoticeTask } from "../ledger/ports.ts";
import type { Locale } from "../texts/catalogue.ts";
import { dateText, eurosText, integerText, pluralForm } from "../texts/formats.ts";
import { MAILS } from "../texts/texts.ts";

/**
 * The notice for points that expire at the start of `task.expiresOn`; `valueCents` is their worth
 * in euro cents.
 */
export function noticeMail(
  task: Pick<NoticeTask, "expiresOn" | "points">,
  valueCents: number,
  locale: Locale,
): { readonly subject: string; readonly text: string; readonly html: string } {
  const say = MAILS.in(locale);
  const body = say(`expiry_body_${pluralForm(task.points, locale)}`, {
    count: integerText(task.points, locale),
    worth: eurosText(valueCents, locale),
    // They are gone when that day begins: the last day to use them is the one before.
    lastDay: dateText(addDays(task.expiresOn, -1), locale),
  });
  const after = say("expiry_after");
  return {
    subject: say("expiry_subject"),
    text: `${body}\n\n${after}\n`,
    html:
      `<!doctype html><html lang="${locale}"><body><p><strong>${body}</strong></p><p>${after}</p></body></html>`,
  };
}
