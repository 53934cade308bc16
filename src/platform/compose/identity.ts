// Users: their accounts, sessions and consents, and the tokens that name them to the other parts.
import { accessTokenIssuer, publicKeySet, userTokens } from "../../identity/access-tokens.ts";
import { httpMailer } from "../../identity/mailer.ts";
import type { AgeListener, ConsentListener } from "../../identity/ports.ts";
import { ageReviewRoutes, identityRoutes } from "../../identity/routes/index.ts";
import { contactBook } from "../../identity/service/contact.ts";
import { sendNotices } from "../../identity/service/notices.ts";
import { identityService } from "../../identity/service/index.ts";
import { identityStore } from "../../identity/store/index.ts";
import type { Routers, Shared } from "./shared.ts";

// A sweep ends by itself, also when notices come as fast as they are sent.
const NOTICE_ROUNDS_MAX = 50;

type Listeners = {
  readonly consentListener: ConsentListener;
  readonly ageListener: AgeListener;
};

export function composeIdentity(shared: Shared, listeners: Listeners) {
  const { platform, config, db, seals, cursors, idempotency, operatorTokens, note } = shared;
  const { clock, random, log, fetch } = platform;
  const store = identityStore(db, random, seals);
  const mailer = httpMailer({ ...config.email, fetch, log });
  const contacts = contactBook({
    store,
    encryption: config.keyrings.encryption,
    random,
    log,
  });
  const service = identityService({
    store,
    keyrings: config.keyrings,
    clock,
    random,
    log,
    relyingParty: config.webauthn,
    minimumAge: config.programme.minimumAge,
    ...listeners,
    mailer,
    accessTokens: accessTokenIssuer(config, clock, random),
  });
  const notices = { index: config.keyrings.index, publicUrl: config.publicUrl };
  const tokens = userTokens({
    config,
    clock,
    fetch,
    linkedUser: service.linkedUser,
    mayAct: service.mayAct,
  });
  const routers: Routers = [{
    path: "/",
    router: identityRoutes({
      service,
      tokens,
      publicKeys: publicKeySet(config.jwtSigningKeys),
      cursors,
      idempotency,
      clock,
      refreshLimiter: { ...platform.limiters.auth, name: "refresh" },
    }),
  }];
  return {
    service,
    tokens,
    routers,
    /** Operators look at it beside the reviews of purchases: the document lists it there. */
    ageReviewRouters: [{
      path: "/admin/v1",
      router: ageReviewRoutes({ service, operatorTokens, idempotency, cursors, note }),
    }],
    async sweep(): Promise<void> {
      await store.purge(clock.nowMs());
      await service.finishAgeReviews();
    },
    /** After what adds notices. */
    async sendNotices(): Promise<void> {
      const more = () => sendNotices({ ...notices, store, contacts, mailer, clock, log });
      for (let round = 0; round < NOTICE_ROUNDS_MAX && (await more()); round++);
    },
  };
}
