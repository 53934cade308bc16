// The e-mails that carry a code. No link: a message without links teaches people never to follow
// one. Pure.
import type { CodePurpose } from "./code.ts";

type Locale = "fr" | "en";
type Wording = { readonly subject: string; readonly before: string; readonly after: string };

const WORDINGS: Readonly<Record<CodePurpose, Readonly<Record<Locale, Wording>>>> = {
  sign_in: {
    fr: {
      subject: "Votre code de connexion Cagnotte",
      before: "Voici votre code pour vous connecter à Cagnotte, valable 10 minutes :",
      after:
        "Ne le donnez à personne, nous ne vous le demanderons jamais. Si vous n'avez rien demandé, ignorez ce message.",
    },
    en: {
      subject: "Your Cagnotte sign-in code",
      before: "Here is your code to sign in to Cagnotte, valid for 10 minutes:",
      after:
        "Give it to nobody: we will never ask you for it. If you did not request it, ignore this message.",
    },
  },
  step_up: {
    fr: {
      subject: "Votre code de confirmation Cagnotte",
      before: "Voici votre code pour confirmer une opération sensible, valable 10 minutes :",
      after:
        "Ne le donnez à personne, nous ne vous le demanderons jamais. Si vous n'avez rien demandé, fermez vos sessions dans l'application.",
    },
    en: {
      subject: "Your Cagnotte confirmation code",
      before: "Here is your code to confirm a sensitive operation, valid for 10 minutes:",
      after:
        "Give it to nobody: we will never ask you for it. If you did not request it, end your sessions in the app.",
    },
  },
};

/** The message for a code, which stands alone on its line so that phones and people find it. */
export function codeMail(
  purpose: CodePurpose,
  locale: Locale,
  code: string,
): { readonly subject: string; readonly text: string; readonly html: string } {
  const { subject, before, after } = WORDINGS[purpose][locale];
  return {
    subject,
    text: `${before}\n\n${code}\n\n${after}\n`,
    html:
      `<!doctype html><html lang="${locale}"><body><p>${before}</p><p style="font-size:24px"><strong>${code}</strong></p><p>${after}</p></body></html>`,
  };
}
