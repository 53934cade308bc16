// The page at the root address, in English.
import type { TranslationOf } from "./catalogue.ts";
import type { LANDING_FR } from "./landing.fr.ts";

export const LANDING_EN: TranslationOf<typeof LANDING_FR> = {
  title: "Cagnotte, points for your card purchases",
  what:
    "Cagnotte links your bank account, with your consent and through a licensed provider. A card purchase at a partner brand earns points, without a loyalty card or a code.",
  where:
    "This is the address of the service that your app uses. For your account and your points, open the app.",
  links: "Read more",
  link_legal: "Who reads your accounts, what is kept and where to complain",
  link_docs: "Documentation of the API",
  link_openapi: "Description of the API (OpenAPI)",
  link_ready: "State of the service",
  link_security: "Report a weakness",
};
