// The page behind a mail's undo link, in English.
import type { TranslationOf } from "./catalogue.ts";
import type { UNDO_FR } from "./undo.fr.ts";

export const UNDO_EN: TranslationOf<typeof UNDO_FR> = {
  title: "Was it not you?",
  what: "This button undoes what the message told you about. Nothing changes until you use it.",
  button: "Undo now",
  done: "Done. Sign in again and check your sessions in the app.",
  failed: "This link is not valid, or no longer. Sign in and end your sessions in the app.",
  later: "The service does not answer. Try again in a few minutes.",
};
