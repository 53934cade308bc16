// HTTP of signing in and of the user's own data (API.md, "Signing in" and "The user"). Reads the
// request, asks the service, says the answer.
import { createRouter } from "../../http/router.ts";
import { addConsentDecisions, addConsents } from "./consents.ts";
import type { IdentityRoutesDeps, Router } from "./deps.ts";
import { addLegalTexts } from "./legal-texts.ts";
import { addEmailChange } from "./email.ts";
import { addKeySet } from "./key-set.ts";
import { addProfile } from "./me.ts";
import {
  addPasskeyAssertions,
  addPasskeyChanges,
  addPasskeyRegistration,
  addPasskeys,
} from "./passkeys.ts";
import { addStepUp, addStepUpMethods } from "./step-up.ts";
import { addRefresh, addSessionEnds, addSessions } from "./sessions.ts";
import { addCodes, addSignIn } from "./sign-in.ts";
import { addUndo, addUndoPage } from "./undo.ts";

export { ageReviewRoutes } from "./age-reviews.ts";

/** `/v1/auth/*`, `/v1/me*`, `/v1/legal/texts/*`, `/undo` and `/.well-known/jwks.json`. Mount it at `/`. */
export function identityRoutes(deps: IdentityRoutesDeps): Router {
  const router = createRouter();
  addKeySet(router, deps);
  addCodes(router, deps);
  addSignIn(router, deps);
  addRefresh(router, deps);
  addSessions(router, deps);
  addSessionEnds(router, deps);
  addPasskeyRegistration(router, deps);
  addPasskeyAssertions(router, deps);
  addPasskeys(router, deps);
  addPasskeyChanges(router, deps);
  addStepUp(router, deps);
  addStepUpMethods(router, deps);
  addUndo(router, deps);
  addUndoPage(router);
  addProfile(router, deps);
  addEmailChange(router, deps);
  addConsents(router, deps);
  addConsentDecisions(router, deps);
  addLegalTexts(router);
  return router;
}
