// The page behind a mail's undo link, in French.

export const UNDO_FR = {
  title: "Ce n'était pas vous ?",
  what:
    "Ce bouton annule ce que le message vous a signalé. Rien ne change tant que vous ne l'utilisez pas.",
  button: "Annuler maintenant",
  done: "C'est fait. Connectez-vous de nouveau et vérifiez vos sessions dans l'application.",
  failed:
    "Ce lien n'est pas valable, ou ne l'est plus. Connectez-vous et fermez vos sessions dans l'application.",
  later: "Le service ne répond pas. Réessayez dans quelques minutes.",
} as const;
