// What acquirers write for well-known French brands and no alias rule can derive: abbreviations,
// legal names, sister companies. Curated; each line has its source. A line applies only when its
// brand is in the catalogue, an operator's own alias always wins over it, and an `exclude` only
// refuses.

export type Descriptor = {
  /**
   * Compact spellings (letters and digits of a name or alias) by which the brand is found in a
   * catalogue.
   */
  readonly brand: readonly string[];
  readonly wikidata?: string;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly source: string;
};

const OBSERVED = "observed on shared card labels of French banks";
const OWN_NAMES = "the company's own shorter, former or legal names";
const POLICY = "policy: another company under the same name";

export const DESCRIPTORS: readonly Descriptor[] = [
  { brand: ["DECATHLON"], wikidata: "Q509349", include: ["Decat"], source: OBSERVED },
  { brand: ["INTERMARCHE"], wikidata: "Q3153200", include: ["ITM"], source: OBSERVED },
  {
    brand: ["CARREFOUR"],
    wikidata: "Q217599",
    include: ["CRF", "Carref", "Carref Market", "Carref Station"],
    source: OBSERVED,
  },
  {
    brand: ["CARREFOUR"],
    wikidata: "Q217599",
    exclude: ["Carrefour Banque", "Carrefour Assurances"],
    source: POLICY,
  },
  {
    brand: ["AMAZON"],
    wikidata: "Q3884",
    include: [
      "AMZN",
      "AMZ",
      "AMZN Mktp",
      "AMZ Digital",
      "Amazon Prime",
      "Amazon Media",
      "Amazon Payments",
    ],
    source: OBSERVED,
  },
  { brand: ["AMAZON"], wikidata: "Q3884", exclude: ["AWS", "Amazon Web Services"], source: POLICY },
  { brand: ["UBER"], wikidata: "Q780442", include: ["UBR"], source: OBSERVED },
  { brand: ["UBER"], wikidata: "Q780442", exclude: ["Uber Eats"], source: POLICY },
  {
    brand: ["MCDONALDS"],
    wikidata: "Q38076",
    include: ["MC DO", "MCDO", "MC DONALD", "MC DONALDS", "MAC DONALDS"],
    source: OBSERVED,
  },
  {
    brand: ["CASINO", "GEANTCASINO"],
    wikidata: "Q89029184",
    include: ["Geant CG", "SM Casino", "Geant Casino", "Petit Casino"],
    source: OBSERVED,
  },
  {
    brand: ["CASINO", "GEANTCASINO"],
    wikidata: "Q89029184",
    exclude: ["Casino Barriere", "Casino Partouche", "Casino Joa"],
    source: POLICY,
  },
  {
    brand: ["NATUREDECOUVERTES", "NATUREETDECOUVERTES"],
    include: ["Nature Decouv"],
    source: OBSERVED,
  },
  { brand: ["CONFORAMA"], include: ["Confo"], source: OWN_NAMES },
  { brand: ["BUT"], include: ["But Cosy", "But City"], source: OWN_NAMES },
  { brand: ["LEBONCOIN"], include: ["LBC France"], source: OWN_NAMES },
  { brand: ["DARTY"], include: ["Darty et Fils", "Ets Darty et Fils"], source: OWN_NAMES },
  { brand: ["MAISONSDUMONDE"], include: ["Maison du Monde"], source: OWN_NAMES },
  { brand: ["YVESROCHER"], include: ["Y Rocher"], source: OWN_NAMES },
  { brand: ["LAVIECLAIRE"], wikidata: "Q3213589", include: ["LVC"], source: OBSERVED },
  { brand: ["HAAGENDAZS"], wikidata: "Q1143333", include: ["HAGD"], source: OBSERVED },
  { brand: ["DUPAREILAUMEME"], include: ["DPAM"], source: OBSERVED },
  { brand: ["QPARK"], wikidata: "Q1127798", include: ["QPF"], source: OBSERVED },
  { brand: ["BLABLACAR"], wikidata: "Q4904028", include: ["Comuto"], source: OBSERVED },
  {
    brand: ["NAVIGO", "IMAGINER", "ILEDEFRANCEMOBILITES", "COMUTITRES"],
    include: ["GIE Comutitres", "Comutitres"],
    source: OBSERVED,
  },
  {
    brand: ["SNCF", "SNCFCONNECT"],
    wikidata: "Q13646",
    include: ["Websncf", "OUIGO", "SNCF Connect", "OUI.SNCF", "TGV", "TGV Inoui"],
    source: OBSERVED,
  },
  {
    brand: ["GALERIESLAFAYETTE"],
    wikidata: "Q3094686",
    include: ["GA Lafayette", "Gal Lafayette", "G Lafayette"],
    source: OBSERVED,
  },
  { brand: ["LEROYMERLIN"], wikidata: "Q889624", include: ["ADEO Leroy Merlin"], source: OBSERVED },
  {
    brand: ["MONOPRIX"],
    wikidata: "Q3321241",
    include: ["Monop", "Monop Daily", "Monop Station"],
    source: OBSERVED,
  },
  {
    brand: ["LECLERC", "ELECLERC"],
    wikidata: "Q1273376",
    include: ["Centre E Leclerc", "Centre Leclerc", "E Leclerc"],
    source: OBSERVED,
  },
  {
    brand: ["PATHE", "GAUMONT", "PATHEGAUMONT"],
    include: ["Gaumont", "Pathe"],
    source: "policy: one company",
  },
  {
    brand: ["ORANGE"],
    wikidata: "Q1431486",
    exclude: ["Orange Bank", "Orange Sud"],
    source: POLICY,
  },
  { brand: ["LAPOSTE"], wikidata: "Q373724", exclude: ["La Poste Mobile"], source: POLICY },
  {
    brand: ["TOTALENERGIES", "TOTAL"],
    wikidata: "Q154037",
    exclude: ["Total Direct Energie"],
    source: POLICY,
  },
  {
    brand: ["SYSTEMEU", "SUPERU", "MAGASINSU", "COOPERATIVEU", "UEXPRESS"],
    include: [
      "Super U",
      "Hyper U",
      "U Express",
      "Marche U",
      "Magasin U",
      "Magasins U",
      "Station U",
      "Systeme U",
    ],
    source: OWN_NAMES,
  },
  {
    brand: ["ERICKAYSER", "MAISONKAYSER"],
    include: ["Kayser", "Maison Kayser", "Boulangerie Kayser", "Boul Kayser"],
    source: OWN_NAMES,
  },
  { brand: ["LEPOTCOMMUN"], include: ["LePotCommun", "Lepotco"], source: OWN_NAMES },
  { brand: ["TICKETMASTER"], include: ["Ticketnet"], source: OWN_NAMES },
  {
    brand: ["DISNEYLANDPARIS"],
    include: ["Euro Disney", "EuroDisney", "Disneyland"],
    source: OWN_NAMES,
  },
  { brand: ["COFIROUTE"], include: ["Cofir"], source: OBSERVED },
  { brand: ["ESCOTA"], include: ["Escot"], source: OBSERVED },
  { brand: ["VENTEPRIVEE", "VEEPEE"], include: ["Vente Privee", "Veepee"], source: OWN_NAMES },
  { brand: ["BOUYGUESTELECOM"], include: ["Bytel", "Bouygues Tel"], source: OWN_NAMES },
  {
    brand: ["PLAYSTATION"],
    include: ["Playstation Network", "PlaystationNetwork", "Sony Playstation"],
    source: OWN_NAMES,
  },
  { brand: ["MICROSOFT"], include: ["MSFT"], source: OWN_NAMES },
  { brand: ["APPLE"], include: ["Itunes", "Itunes.com", "Apple.com Bill"], source: OWN_NAMES },
  { brand: ["STEAM"], include: ["Steamgames", "Steampowered"], source: OWN_NAMES },
  { brand: ["STARBUCKS"], include: ["Starbucks Coffee"], source: OWN_NAMES },
  { brand: ["TRAINLINE"], include: ["Capitaine Train", "Trainline"], source: OWN_NAMES },
  { brand: ["CASTORAMA"], include: ["Casto"], source: OWN_NAMES },
  { brand: ["PICWICTOYS"], include: ["Picwic", "Picwic Toys"], source: OWN_NAMES },
  {
    brand: ["INDIGO", "VINCIPARKINDIGO", "VINCIPARK"],
    include: ["Vinci Park", "Vincipark"],
    source: OWN_NAMES,
  },
  {
    brand: ["TOTALENERGIES", "TOTAL"],
    include: ["Total Access", "Relais Total", "Total Marketing"],
    source: OWN_NAMES,
  },
  { brand: ["SHOWROOMPRIVE"], include: ["Showroomprive"], source: OWN_NAMES },
  {
    brand: ["EVEILETJEUX", "EVEILJEUX", "EVEILJEUXOXYBUL", "OXYBUL"],
    include: ["Eveil et Jeux", "Eveil Jeux", "Oxybul"],
    source: OWN_NAMES,
  },
  { brand: ["GOOGLE"], include: ["Google Play", "Google Storage"], source: OWN_NAMES },
  {
    brand: ["VELIB", "VELIBMETROPOLE"],
    include: ["Velib", "Velib Metropole", "Smovengo"],
    source: OWN_NAMES,
  },
  { brand: ["INTERMARCHE"], wikidata: "Q3153200", include: ["Interm"], source: OBSERVED },
  { brand: ["ESSO"], include: ["Certas Esso"], source: OWN_NAMES },
  {
    brand: ["ASF", "AUTOROUTESDUSUDDELAFRANCE"],
    include: ["Autoroutes du Sud de la France", "Autoroute du Sud de la France"],
    source: OWN_NAMES,
  },
  { brand: ["APRR"], include: ["Autoroutes Paris Rhin Rhone"], source: OWN_NAMES },
  { brand: ["AREA"], include: ["Autoroutes Rhone Alpes"], source: OWN_NAMES },
  {
    brand: ["LAHALLE"],
    include: ["Halle aux Chaussures", "Halle Chaussures", "Halle aux Vetements", "Halle Vetements"],
    source: OWN_NAMES,
  },
  { brand: ["SEETICKETS"], include: ["Digitick"], source: OWN_NAMES },
  { brand: ["RAKUTEN"], include: ["PriceMinister"], source: OWN_NAMES },
  { brand: ["BOOKINGCOM", "BOOKING"], include: ["Booking"], source: OWN_NAMES },
  { brand: ["DELIVEROO"], include: ["Roofoods"], source: OWN_NAMES },
  { brand: ["IKEA"], include: ["Meubles Ikea France"], source: OWN_NAMES },
  { brand: ["DISNEY", "DISNEYPLUS"], include: ["Disney Plus", "Disneyplus"], source: OWN_NAMES },
  { brand: ["FIVEGUYS"], include: ["Five Guys"], source: OWN_NAMES },
];
