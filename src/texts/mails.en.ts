// The e-mails, in English. No link: a message without links teaches people never to follow one.
import type { TranslationOf } from "./catalogue.ts";
import type { MAILS_FR } from "./mails.fr.ts";

export const MAILS_EN: TranslationOf<typeof MAILS_FR> = {
  sign_in_subject: "Your Cagnotte sign-in code",
  sign_in_before: "Here is your code to sign in to Cagnotte. It is valid for 10 minutes:",
  sign_in_after:
    "Do not share it with anyone: we will never ask you for it. If you did not request this code, ignore this message.",
  step_up_subject: "Your Cagnotte confirmation code",
  step_up_before: "Here is your code to confirm a sensitive operation. It is valid for 10 minutes:",
  step_up_after:
    "Do not share it with anyone: we will never ask you for it. If you did not request this code, end your sessions in the app.",
  expiry_subject: "Your Cagnotte points expire soon",
  expiry_body_one:
    "{count} of your points ({worth}) expires soon: you can use it until {lastDay} inclusive.",
  expiry_body_many:
    "{count} of your points ({worth}) expire soon: you can use them until {lastDay} inclusive.",
  expiry_after:
    "To keep their value, redeem them in the app by that day. Your other points do not change.",
};
