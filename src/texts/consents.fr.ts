// The texts that people agree to, in French, by purpose and version. A published text never
// changes: another wording is another version, since consents name the version that was read.

export const CONSENTS_FR = {
  terms_1_title: "Conditions d'utilisation",
  terms_1_body: `Ce que fait le service
Vous reliez un compte bancaire ; vos achats par carte chez les enseignes partenaires vous font gagner des points. Le service est gratuit. Il faut avoir l'âge minimal indiqué dans l'application, donner sa vraie date de naissance et n'avoir qu'un compte.

Vos points
Chaque achat est jugé d'après l'offre en vigueur ce jour-là, et l'application donne la raison de chaque décision. Les points sont d'abord en attente ; ils deviennent disponibles à la fin du délai de confirmation de l'offre. Si un achat est remboursé ou annulé, les points qu'il avait donnés sont repris, même s'ils ont déjà servi : le solde peut alors devenir négatif, et les points suivants le compensent. Les points disponibles expirent après la durée indiquée dans l'application ; un message vous prévient avant. Les points ne sont pas de l'argent : ils ne rapportent pas d'intérêts, ne se vendent pas et ne se transmettent pas.

Votre compte
Vous vous connectez avec votre adresse e-mail ou une clé d'accès ; ne donnez à personne les codes que vous recevez. Si des achats paraissent fictifs ou si les limites d'une offre sont contournées, les gains peuvent être suspendus jusqu'à ce qu'une personne ait examiné le cas. Vous pouvez contester sa décision.

Changements et fin
Une offre peut être arrêtée ; les points déjà gagnés vous restent. Si ces conditions changent, la nouvelle version porte un nouveau numéro et ne vous engage qu'avec votre accord. Vous pouvez quitter le service quand vous voulez.

Réclamations
Les mentions légales de l'application donnent l'adresse de l'exploitant, ses prestataires et les autorités que vous pouvez saisir. Le droit français s'applique.`,
  bank_data_1_title: "Accès à vos comptes bancaires",
  bank_data_1_body: `Ce que vous autorisez
Powens, prestataire agréé de services d'information sur les comptes, lit les comptes que vous choisissez et nous transmet vos opérations par carte. Vous saisissez vos identifiants bancaires chez Powens ou chez votre banque, jamais chez nous. Cet accès ne permet aucun paiement.

Ce que nous gardons
Le libellé, la date et le montant de vos paiements par carte et de leurs remboursements, chiffrés avec une clé propre à votre compte. Le reste (soldes, virements, prélèvements, épargne, crédits, bénéficiaires) est écarté avant tout enregistrement.

Pourquoi
Pour reconnaître l'enseigne, calculer vos points, retrouver les remboursements, empêcher que le même compte bancaire rapporte deux fois et déceler les fraudes.

Combien de temps
L'accès dure jusqu'à la date affichée avec chaque connexion ; vous pouvez alors le renouveler. Ce que nous gardons est effacé avec votre compte.

Retirer cet accord
Vous le pouvez à tout moment dans l'application. Vos connexions prennent alors fin, chez nous et chez Powens, et plus rien n'est lu. Les points déjà gagnés vous restent. Sans cet accord, aucune banque ne peut être reliée.`,
  recommendations_1_title: "Suggestions d'offres",
  recommendations_1_body: `Ce que vous autorisez
Vos achats reconnus peuvent être rapprochés de ceux d'autres personnes qui l'acceptent aussi, pour vous proposer d'abord les offres qui ont le plus de chances de vous servir. Chaque suggestion dit pourquoi elle vous est faite.

Ce qui ne se passe pas
Ni vos achats ni votre nom ne sont transmis aux enseignes. Les suggestions ne changent ni vos points ni les offres auxquelles vous avez droit.

Retirer cet accord
Vous le pouvez à tout moment dans l'application, sans rien perdre. Vos propres chiffres et la liste de toutes les offres vous restent accessibles sans cet accord.`,
  statistics_1_title: "Statistiques",
  statistics_1_body: `Ce que vous autorisez
Une partie de vos achats par carte peut entrer dans un échantillon, sans votre nom ni votre adresse e-mail et sous un identifiant qui ne désigne que vous dans cet échantillon. Il sert à estimer l'effet d'une offre avant sa publication et à améliorer la reconnaissance des enseignes.

Ce qui ne se passe pas
L'échantillon n'est ni vendu ni transmis. Il ne sert à aucune décision sur vos points.

Retirer cet accord
Vous le pouvez à tout moment dans l'application, sans rien perdre : vos achats sont alors retirés de l'échantillon. Vos propres chiffres vous restent accessibles sans cet accord.`,
  marketing_1_title: "Messages sur les offres",
  marketing_1_body: `Ce que vous autorisez
Nous pouvons vous écrire au sujet d'offres nouvelles ou sur le point de finir. Pour choisir le bon moment, nos outils de communication, nommés dans les mentions légales, peuvent apprendre qu'un achat vous a donné des points : un identifiant aléatoire, l'enseigne, les points et les dates. Jamais votre nom, ni le libellé ou le montant d'un achat.

Ce qui ne dépend pas de cet accord
Les messages sur votre compte, comme un code, une nouvelle connexion ou des points qui vont expirer, vous parviennent dans tous les cas.

Retirer cet accord
Vous le pouvez à tout moment dans l'application, sans rien perdre. Plus rien n'est alors envoyé, ni à vous ni à ces outils.`,
} as const;
