// What a refusal means where its title says too little, in French.

export const PROBLEM_DETAILS_FR = {
  account_shared: "Un autre titulaire gagne déjà avec ce compte",
} as const;
