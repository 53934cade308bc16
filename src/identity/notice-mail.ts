// The e-mails about what happened to a user's accounts. They name nobody: what another holder of a
// bank account does is told without saying who. A link only where something can be undone. Pure.
import type { NoticeKind } from "../db/notice-tables.ts";
import { parisDate } from "../kernel/time.ts";
import type { Locale } from "../texts/catalogue.ts";
import { dateText, integerText } from "../texts/formats.ts";
import { MAILS } from "../texts/texts.ts";
import { occasionWords } from "./mail.ts";

type Details = Readonly<Record<string, unknown>>;
type Mail = { readonly subject: string; readonly text: string; readonly html: string };

/**
 * The message for a notice, from what was stored with it, with the link that undoes what it is
 * about where there is one.
 */
export function noticeMail(
  kind: NoticeKind,
  details: Details,
  locale: Locale,
  undoLink: string | null,
): Mail {
  const say = MAILS.in(locale);
  const body = bodyOf(kind, details, locale);
  const after = say(`${kind}_after`);
  return {
    subject: say(`${kind}_subject`),
    text: [body, ...(undoLink === null ? [] : [undoLink]), `${after}\n`].join("\n\n"),
    html: `<!doctype html><html lang="${locale}"><body><p>${escaped(body)}</p>${
      undoLink === null ? "" : `<p><a href="${undoLink}">${undoLink}</a></p>`
    }<p>${escaped(after)}</p></body></html>`,
  };
}

function bodyOf(kind: NoticeKind, details: Details, locale: Locale): string {
  const say = MAILS.in(locale);
  switch (kind) {
    case "earning_started":
    case "transfer_asked":
    case "transfer_refused":
      return say(`${kind}_body`, {
        number: integerText(Number(details["ordinal"]), locale),
        bank: String(details["bank"]),
      });
    case "bank_connection_ended":
      return say("bank_connection_ended_body", { bank: String(details["bank"]) });
    case "age_review_opened":
      return say("age_review_opened_body", {
        age: integerText(Number(details["age"]), locale),
        lastDay: dateText(parisDate(Number(details["decideByMs"])), locale),
      });
    case "session_opened":
    case "email_changed":
    case "passkey_added":
    case "passkey_removed":
    case "step_up_codes_off":
      return say(
        `${kind}_body`,
        occasionWords(details as Parameters<typeof occasionWords>[0], locale),
      );
    case "age_review_resumed":
    case "age_review_ended":
      return say(`${kind}_body`);
  }
}

/** The bank's name comes from outside. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
