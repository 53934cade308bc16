// The legal notice, in French.

export const LEGAL_FR = {
  provider_role:
    "Powens, établissement agréé, fournit le service d'information sur les comptes et lit vos comptes avec votre accord",
  agent_status:
    "L'exploitant agit en tant qu'agent du prestataire ; vous pouvez vérifier son inscription dans le registre",
  kept_rows_what: "Libellé, date et montant des paiements par carte et de leurs remboursements",
  kept_rows_why: "Reconnaître la marque et calculer les points",
  kept_rows_until: "Jusqu'à l'effacement du compte",
  kept_profile_what: "Adresse e-mail et profil, chiffrés",
  kept_profile_why: "Vous connecter et vérifier votre âge",
  kept_profile_until: "Jusqu'à l'effacement du compte",
  kept_ledger_what: "Registre des points, sous un identifiant aléatoire",
  kept_ledger_why: "Prouver que vos points sont justes",
  kept_ledger_until:
    "Dix ans pour la comptabilité, sans donnée personnelle après l'effacement du compte",
  never_credentials:
    "Vos identifiants bancaires : vous les saisissez chez Powens, jamais chez nous",
  never_other_data:
    "Vos soldes, IBAN, épargne, crédits, virements, prélèvements et leurs bénéficiaires : nous ne les conservons pas",
  never_payment_orders:
    "Aucun ordre de paiement : nous ne pouvons ni prélever ni transférer votre argent",
  hosting_statement: "Les données sont stockées et le registre est tenu dans l'Union européenne",
  hosting_statement_undeclared: "L'exploitant n'a pas déclaré où les données sont stockées",
  complaints_how:
    "Pour contester un achat ou pour toute autre question, écrivez-nous. Si notre réponse ne vous satisfait pas, vous pouvez saisir ces autorités.",
  about_payment_services: "Services de paiement",
  about_personal_data: "Données personnelles",
  halt_ended: "Cet arrêt a pris fin, ou quelqu'un vient de le modifier.",
  halted_payouts:
    "Les versements sont suspendus ; les demandes gardent leurs points et peuvent être annulées, et aucun point n'expire.",
  halted_confirmations:
    "Les points en attente le restent jusqu'à la reprise, et aucun point n'expire.",
  halted_linking: "Aucune banque ne peut être connectée ni renouvelée pour le moment.",
  halted_offers: "Les achats attendent la reprise pour être examinés, selon l'offre de leur jour.",
} as const;
