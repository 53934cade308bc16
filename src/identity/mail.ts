// The e-mails that carry a code. No link: a message without links teaches people never to follow
// one. Pure.
import type { Locale } from "../texts/catalogue.ts";
import { MAILS } from "../texts/texts.ts";
import type { CodePurpose } from "./code.ts";

/** The message for a code, alone on its line so that phones and people find it. */
export function codeMail(
  purpose: CodePurpose,
  locale: Locale,
  code: string,
): { readonly subject: string; readonly text: string; readonly html: string } {
  const say = MAILS.in(locale);
  const before = say(`${purpose}_before`);
  const after = say(`${purpose}_after`);
  return {
    subject: say(`${purpose}_subject`),
    text: `${before}\n\n${code}\n\n${after}\n`,
    html:
      `<!doctype html><html lang="${locale}"><body><p>${before}</p><p style="font-size:24px"><strong>${code}</strong></p><p>${after}</p></body></html>`,
  };
}
