// The e-mails, in French. No link: a message without links teaches people never to follow one.

export const MAILS_FR = {
  sign_in_subject: "Votre code de connexion Cagnotte",
  sign_in_before: "Voici votre code pour vous connecter à Cagnotte. Il est valable 10 minutes :",
  sign_in_after:
    "Ne le communiquez à personne : nous ne vous le demanderons jamais. Si vous n'avez pas demandé ce code, ignorez ce message.",
  step_up_subject: "Votre code de confirmation Cagnotte",
  step_up_before:
    "Voici votre code pour confirmer une opération sensible. Il est valable 10 minutes :",
  step_up_after:
    "Ne le communiquez à personne : nous ne vous le demanderons jamais. Si vous n'avez pas demandé ce code, fermez vos sessions dans l'application.",
  expiry_subject: "Vos points Cagnotte expirent bientôt",
  expiry_body_one:
    "{count} de vos points ({worth}) expire bientôt : vous pouvez l'utiliser jusqu'au {lastDay} inclus.",
  expiry_body_many:
    "{count} de vos points ({worth}) expirent bientôt : vous pouvez les utiliser jusqu'au {lastDay} inclus.",
  expiry_after:
    "Pour ne pas les perdre, échangez-les dans l'application avant cette date. Vos autres points ne changent pas.",
} as const;
