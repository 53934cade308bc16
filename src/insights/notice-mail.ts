// The e-mail that announces an expiry: how many points, what they are worth, until when. No link,
// like all our mail. Pure.
import { addDays } from "../kernel/time.ts";
import type { NoticeTask } from "../ledger/ports.ts";

type Locale = "fr" | "en";

const LOCALES = { fr: "fr-FR", en: "en-GB" } as const;

/**
 * `2026-12-24` as people read it. The day is a Paris calendar day, so no time zone may shift it.
 */
function readable(date: string, locale: Locale): string {
  return new Intl.DateTimeFormat(LOCALES[locale], { dateStyle: "long", timeZone: "UTC" }).format(
    Date.parse(`${date}T00:00:00Z`),
  );
}

function euros(cents: number, locale: Locale): string {
  return new Intl.NumberFormat(LOCALES[locale], { style: "currency", currency: "EUR" }).format(
    cents / 100,
  );
}

/**
 * The notice for points that expire at the start of `task.expiresOn`; `valueCents` is their worth
 * in euro cents.
 */
export function noticeMail(
  task: Pick<NoticeTask, "expiresOn" | "points">,
  valueCents: number,
  locale: Locale,
): { readonly subject: string; readonly text: string; readonly html: string } {
  const count = new Intl.NumberFormat(LOCALES[locale]).format(task.points);
  const worth = euros(valueCents, locale);
  // They are gone when that day begins: the last day to use them is the one before.
  const lastDay = readable(addDays(task.expiresOn, -1), locale);
  const lines = locale === "fr"
    ? {
      subject: `Vos points Cagnotte expirent bientôt`,
      body:
        `${count} de vos points (${worth}) sont utilisables jusqu'au ${lastDay} inclus, puis ils expirent.`,
      after:
        "Pour ne pas les perdre, échangez-les dans l'application avant cette date. Vos autres points ne changent pas.",
    }
    : {
      subject: `Your Cagnotte points expire soon`,
      body:
        `${count} of your points (${worth}) can be used until ${lastDay} inclusive, then they expire.`,
      after:
        "To keep their value, redeem them in the app before that day. Your other points do not change.",
    };
  return {
    subject: lines.subject,
    text: `${lines.body}\n\n${lines.after}\n`,
    html:
      `<!doctype html><html lang="${locale}"><body><p><strong>${lines.body}</strong></p><p>${lines.after}</p></body></html>`,
  };
}
