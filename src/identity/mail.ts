// The e-mails that carry a code. No link: a message without links teaches people never to follow
// one. Pure.
import { parisDate, parisTime } from "../kernel/time.ts";
import type { Locale } from "../texts/catalogue.ts";
import { dateText } from "../texts/formats.ts";
import { MAILS } from "../texts/texts.ts";
import type { CodePurpose } from "./code.ts";
import type { DeviceKind } from "./device.ts";

/** From which kind of device something was done, and when. */
type Occasion = { readonly device: DeviceKind; readonly atMs: number };

/** An occasion in words, for the placeholders of a text. */
export function occasionWords(
  { device, atMs }: Occasion,
  locale: Locale,
): { readonly date: string; readonly time: string; readonly device: string } {
  return {
    date: dateText(parisDate(atMs), locale),
    time: parisTime(atMs),
    device: MAILS.in(locale)(`device_${device}`),
  };
}

/** The message for a code, alone on its line so that phones and people find it. */
export function codeMail(
  purpose: CodePurpose,
  locale: Locale,
  code: string,
  asked: Occasion,
): { readonly subject: string; readonly text: string; readonly html: string } {
  const say = MAILS.in(locale);
  const before = say(`${purpose}_before`, occasionWords(asked, locale));
  const after = say(`${purpose}_after`);
  return {
    subject: say(`${purpose}_subject`),
    text: `${before}\n\n${code}\n\n${after}\n`,
    html:
      `<!doctype html><html lang="${locale}"><body><p>${before}</p><p style="font-size:24px"><strong>${code}</strong></p><p>${after}</p></body></html>`,
  };
}
