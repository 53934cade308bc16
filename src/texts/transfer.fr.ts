// Why a page of an archive is not given or not taken, for the operator, in French.

export const TRANSFER_FR = {
  archive_unknown: "Cette archive n'est pas d'un format connu",
  cursor_invalid: "Curseur non valable",
  changed: "Le système a changé pendant l'export : arrêtez son trafic et recommencez",
  keys_differ: "Les trousseaux de clés diffèrent de ceux de l'archive",
  versions_differ: "Les deux systèmes n'ont pas les mêmes migrations",
  not_empty: "Ce système n'est pas vide",
  other_import: "Un autre import a été commencé ou terminé ici",
  line_out_of_order: "Une autre ligne est attendue",
  line_refused: "La ligne a été modifiée, déplacée ou scellée par une autre clé",
  mismatch: "Ce qui est arrivé n'est pas ce qui est parti",
  incomplete: "Des pages manquent",
  unavailable: "Le registre des points ne répond pas",
} as const;
