// What to do about a refusal, in French: one or two sentences for each problem code, which add to
// its title instead of repeating it. No sentence quotes a value that identifies a person.

export const PROBLEM_DETAILS_FR = {
  transfer_not_possible: "Relisez vos comptes : ils disent si vous gagnez à présent.",
  transfer_in_progress:
    "Attendez la réponse à cette demande ; sans réponse elle s'éteint au bout de 14 jours.",
  transfer_not_asked: "Relisez vos comptes : la demande a été retirée, ou a déjà sa réponse.",
  account_shared: "Un autre titulaire gagne déjà avec ce compte",
  malformed_json: "Envoyez un seul document JSON en UTF-8.",
  idempotency_key_required:
    "Envoyez de 1 à 255 caractères ASCII visibles, les mêmes si vous répétez la demande.",
  state_invalid: "Recommencez la liaison de votre banque depuis le début.",
  cursor_invalid:
    "Reprenez la liste à sa première page ; un curseur ne vaut que pour sa liste et ses filtres.",
  token_missing: "Envoyez l'en-tête Authorization: Bearer avec un jeton d'accès.",
  token_invalid: "Connectez-vous de nouveau.",
  token_expired: "Demandez un nouveau jeton d'accès avec votre jeton de renouvellement.",
  code_invalid: "Vérifiez le dernier code reçu ou demandez-en un autre.",
  passkey_invalid:
    "Demandez un nouveau défi et recommencez avec une clé d'accès de ce compte, ou utilisez un code.",
  refresh_invalid: "Connectez-vous de nouveau.",
  refresh_reused: "Connectez-vous de nouveau sur cet appareil.",
  undo_invalid:
    "Utilisez le lien du dernier message reçu ; il vaut 7 jours. Sinon, connectez-vous et fermez vos sessions.",
  signature_invalid: "L'appel n'est pas signé avec un secret que nous connaissons.",
  forbidden: "Vous n'avez pas le droit de faire cet appel.",
  forbidden_role: "Cet appel demande un de ces rôles : {roles}.",
  consent_required: "Donnez d'abord l'accord qui manque.",
  consent_required_which: "Donnez d'abord votre accord à : {consents}.",
  consent_terms: "les conditions d'utilisation (terms)",
  consent_bank_data: "l'utilisation de vos données bancaires (bank_data)",
  consent_missing: "Cet accord manque",
  profile_incomplete: "Renseignez d'abord votre date de naissance (birth_date) dans votre profil.",
  profile_field_missing: "Ce champ du profil manque",
  age_below_minimum: "Ce service n'est ouvert qu'à partir de cet âge.",
  age_below_minimum_years: "Il faut avoir au moins {years} ans.",
  step_up_required: "Confirmez votre identité, puis répétez la demande dans les cinq minutes.",
  step_up_codes_off: "Confirmez avec une de vos clés d'accès.",
  second_person_required: "La personne qui a fait la demande ne peut pas l'approuver elle-même.",
  listed_person_required:
    "Faites approuver par une personne dont l'adresse figure dans ACCESS_ROLES. Les jetons de service et les membres d'un domaine n'approuvent pas.",
  not_found: "Cette adresse ne mène à rien, ou à rien qui vous appartienne.",
  method_not_allowed: "L'en-tête Allow nomme les méthodes que cette adresse accepte.",
  conflict: "Relisez l'état actuel avant de réessayer.",
  email_in_use: "Choisissez une autre adresse, ou connectez-vous avec celle-ci.",
  email_reserved:
    "Pour la rétablir, ouvrez le lien du message qui vous a signalé le changement ; sinon, connectez-vous avec la nouvelle adresse. Elle sera libre 7 jours après le changement.",
  passkey_missing: "Enregistrez d'abord une clé d'accès.",
  passkey_limit_reached: "Retirez d'abord une clé d'accès que vous n'utilisez plus.",
  idempotency_conflict: "Utilisez une autre clé pour une demande différente.",
  idempotency_in_progress: "Attendez sa réponse, puis répétez-la avec la même clé.",
  body_incomplete: "Envoyez le corps en entier en moins de 10 secondes.",
  payload_too_large: "Envoyez moins de données à la fois.",
  unsupported_media_type: "Envoyez le corps en application/json.",
  unsupported_media_type_import:
    "Envoyez le fichier en application/json, application/x-ndjson ou text/csv.",
  validation_failed: "La liste errors nomme chaque champ à corriger.",
  redirect_uri_unknown: "L'adresse de retour doit être une de celles que l'exploitant a déclarées.",
  bank_unknown: "Choisissez une banque de la liste des banques.",
  passkey_not_registered:
    "Demandez un nouveau défi et recommencez ; si la clé est déjà dans votre liste, il n'y a rien à faire.",
  referral_code_invalid: "Un code de parrainage a six lettres minuscules.",
  points_insufficient: "Demandez moins de points.",
  below_threshold: "Demandez plus de points.",
  points_not_redeemable: "Demandez un nombre de points qui donne des centimes entiers.",
  payout_account_missing: "Enregistrez d'abord un compte de versement.",
  payout_account_waiting: "Réessayez lorsque le compte de versement sera utilisable.",
  balance_negative: "Les points repris doivent d'abord être compensés par de nouveaux points.",
  offer_not_available: "L'offre n'est pas en cours en ce moment.",
  rate_limited: "Ralentissez vos demandes.",
  code_tries_exceeded: "Demandez un nouveau code.",
  internal: "L'erreur est de notre côté ; request_id nous permet de la retrouver.",
  unavailable: "Répétez la demande plus tard.",
  programme_paused:
    "Rien n'est perdu : recommencez plus tard. Ce qui est arrêté est indiqué par `GET /v1/legal`.",
  aggregator_unavailable: "Répétez la demande plus tard ; rien n'a été perdu.",
  trade_lost:
    "La réponse de l'agrégateur s'est perdue. Recommencez la liaison de votre banque depuis le début.",
  ledger_unavailable: "Répétez la demande plus tard ; vos points sont intacts.",
  email_unavailable: "Répétez la demande plus tard.",

  // How long to wait, where the answer says so.
  retry_after: "{detail} Réessayez dans {wait}.",
  seconds_one: "{count} seconde",
  seconds_many: "{count} secondes",
  minutes_one: "{count} minute",
  minutes_many: "{count} minutes",
  hours_one: "{count} heure",
  hours_many: "{count} heures",
} as const;
