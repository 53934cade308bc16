// The page at the root address, in French.

export const LANDING_FR = {
  title: "Cagnotte, des points pour vos achats par carte",
  what:
    "Cagnotte relie votre compte bancaire, avec votre accord et par un prestataire agréé. Un achat par carte chez une marque partenaire rapporte des points, sans carte de fidélité ni code.",
  where:
    "Cette adresse est celle du service que votre application utilise. Pour votre compte et vos points, ouvrez l'application.",
  links: "Pour en savoir plus",
  link_legal: "Qui lit vos comptes, ce qui est conservé et où vous plaindre",
  link_docs: "Documentation de l'API",
  link_openapi: "Description de l'API (OpenAPI)",
  link_ready: "État du service",
  link_security: "Signaler une faille",
} as const;
