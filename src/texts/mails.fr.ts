// The e-mails, in French. Only those that can be undone have a link: a message without one teaches
// people never to follow one.

export const MAILS_FR = {
  sign_in_subject: "Votre code de connexion Cagnotte",
  sign_in_before:
    "Voici votre code pour vous connecter à Cagnotte, demandé le {date} à {time} (heure de Paris) depuis {device}. Il est valable 10 minutes :",
  sign_in_after:
    "Ne le communiquez à personne : nous ne vous le demanderons jamais. Si vous n'avez pas demandé ce code, ignorez ce message.",
  step_up_subject: "Votre code de confirmation Cagnotte",
  step_up_before:
    "Voici votre code pour confirmer une opération sensible, demandé le {date} à {time} (heure de Paris) depuis {device}. Il est valable 10 minutes :",
  step_up_after:
    "Ne le communiquez à personne : nous ne vous le demanderons jamais. Si vous n'avez pas demandé ce code, fermez vos sessions dans l'application.",
  device_iphone: "un iPhone",
  device_ipad: "un iPad",
  device_android: "un appareil Android",
  device_windows: "un ordinateur Windows",
  device_apple: "un appareil Apple",
  device_linux: "un ordinateur Linux",
  device_unknown: "un appareil inconnu",
  session_opened_subject: "Nouvelle connexion à votre compte Cagnotte",
  session_opened_body:
    "Une connexion à votre compte a été ouverte le {date} à {time} (heure de Paris) depuis {device}. Si c'était vous, ignorez ce message. Sinon, ouvrez ce lien sous 7 jours et fermez cette session :",
  session_opened_after:
    "La page s'ouvre sans rien changer ; seul son bouton ferme la session. Changez aussi le mot de passe de votre messagerie.",
  change_email_subject: "Votre code pour changer d'adresse Cagnotte",
  change_email_before:
    "Voici le code pour faire de cette adresse celle d'un compte Cagnotte, demandé le {date} à {time} (heure de Paris) depuis {device}. Il est valable 10 minutes :",
  change_email_after:
    "Ne le communiquez à personne : nous ne vous le demanderons jamais. Si vous n'avez pas demandé ce code, ignorez ce message.",
  email_changed_subject: "L'adresse de votre compte Cagnotte a changé",
  email_changed_body:
    "Votre compte a une nouvelle adresse e-mail depuis le {date} à {time} (heure de Paris), demandée depuis {device} ; celle-ci ne sert plus. Si c'était vous, ignorez ce message. Sinon, ouvrez ce lien sous 7 jours et rétablissez votre adresse :",
  email_changed_after:
    "La page s'ouvre sans rien changer ; seul son bouton rétablit votre adresse, ferme toutes les sessions et retire les clés d'accès ajoutées depuis.",
  passkey_added_subject: "Nouvelle clé d'accès à votre compte Cagnotte",
  passkey_added_body:
    "Une clé d'accès a été ajoutée à votre compte le {date} à {time} (heure de Paris) depuis {device}. Si c'était vous, ignorez ce message.",
  passkey_added_after:
    "Sinon, retirez cette clé et fermez vos sessions dans l'application, puis changez le mot de passe de votre messagerie.",
  passkey_removed_subject: "Une clé d'accès a été retirée de votre compte Cagnotte",
  passkey_removed_body:
    "Une clé d'accès a été retirée de votre compte le {date} à {time} (heure de Paris) depuis {device}. Si c'était vous, ignorez ce message.",
  passkey_removed_after:
    "Sinon, fermez vos sessions dans l'application et changez le mot de passe de votre messagerie.",
  step_up_codes_off_subject: "Les codes ne confirment plus d'opération sur votre compte Cagnotte",
  step_up_codes_off_body:
    "Depuis le {date} à {time} (heure de Paris), seules vos clés d'accès confirment une opération sensible ; demandé depuis {device}. Si c'était vous, ignorez ce message.",
  step_up_codes_off_after:
    "Sinon, retirez dans l'application les clés d'accès qui ne sont pas à vous, fermez vos sessions et changez le mot de passe de votre messagerie.",
  expiry_subject: "Vos points Cagnotte expirent bientôt",
  expiry_body_one:
    "{count} de vos points ({worth}) expire bientôt : vous pouvez l'utiliser jusqu'au {lastDay} inclus.",
  expiry_body_many:
    "{count} de vos points ({worth}) expirent bientôt : vous pouvez les utiliser jusqu'au {lastDay} inclus.",
  expiry_after:
    "Pour ne pas les perdre, échangez-les dans l'application avant cette date. Vos autres points ne changent pas.",
  earning_started_subject: "Un compte bancaire partagé gagne maintenant pour vous",
  earning_started_body:
    "Votre compte {number} ({bank}) gagne désormais des points pour vous : l'autre titulaire ne gagne plus avec ce compte.",
  earning_started_after:
    "Les achats vus avant ce changement ne changent pas. Vous pouvez désactiver ce compte à tout moment dans l'application.",
  bank_connection_ended_subject: "Une banque n'est plus liée à votre compte Cagnotte",
  bank_connection_ended_body:
    "Après le renouvellement de l'accès, {bank} n'a montré aucun des comptes que vous aviez liés. Rien n'a été lu des autres, et nous avons mis fin à cet accès.",
  bank_connection_ended_after:
    "Vos points restent à vous. Pour continuer à en gagner, liez de nouveau votre banque dans l'application. Ne transmettez jamais l'adresse de la page de votre banque.",
  transfer_asked_subject: "Un autre titulaire demande à gagner avec votre compte",
  transfer_asked_body:
    "Un autre titulaire de votre compte {number} ({bank}) demande à gagner des points à votre place.",
  transfer_asked_after:
    "Répondez dans l'application sous 14 jours. Sans réponse, rien ne change. Les points que vous avez gagnés restent à vous dans tous les cas.",
  transfer_refused_subject: "Votre demande a été refusée",
  transfer_refused_body:
    "L'autre titulaire de votre compte {number} ({bank}) continue de gagner des points avec ce compte.",
  transfer_refused_after: "Rien ne change pour vous.",
  age_review_opened_subject: "Vos gains sont suspendus",
  age_review_opened_body:
    "D'après la date de naissance de votre profil, vous avez moins de {age} ans. Vos comptes ne gagnent plus de points pour l'instant. Une personne décide au plus tard le {lastDay} ; sans décision, vos connexions bancaires prennent fin ce jour-là.",
  age_review_opened_after:
    "Si la date est fausse, corrigez-la dans votre profil : la personne qui décide en tiendra compte. Vos points restent à vous.",
  age_review_resumed_subject: "Vos comptes gagnent à nouveau",
  age_review_resumed_body:
    "Nous avons vérifié votre âge : vos comptes gagnent à nouveau des points. Vos achats faits entre-temps sont pris en compte.",
  age_review_resumed_after: "Vous n'avez rien à faire.",
  age_review_ended_subject: "Vos connexions bancaires ont pris fin",
  age_review_ended_body:
    "L'âge minimal n'étant pas atteint ou pas établi, vos connexions bancaires ont pris fin, chez nous et chez notre agrégateur.",
  age_review_ended_after: "Les points que vous avez gagnés restent à vous.",
} as const;
