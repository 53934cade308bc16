// The user's profile.
import { createRoute, z } from "@hono/zod-openapi";
import { requireUser, userOf } from "../../http/authentication.ts";
import { answer, body, problems, userSecurity } from "../../http/router.ts";
import { saying } from "../../http/validation.ts";
import { toInstant } from "../../kernel/time.ts";
import { VALIDATION } from "../../texts/texts.ts";
import { AGE_MAX, birthDateProblem } from "../profile.ts";
import type { Profile } from "../profile.ts";
import type { IdentityRoutesDeps, Router } from "./deps.ts";
import { refuseGoneUser } from "./refuse.ts";
import { locale, name, profileSchema } from "./schemas.ts";

export function profileBody(profile: Profile): z.infer<typeof profileSchema> {
  return {
    id: profile.id,
    email: profile.email,
    first_name: profile.firstName,
    last_name: profile.lastName,
    gender: profile.gender,
    birth_date: profile.birthDate,
    locale: profile.locale,
    profile_complete: profile.birthDate !== null,
    created_at: toInstant(profile.createdAtMs),
  };
}

const BIRTH_DATE_WRONG = {
  date_invalid: VALIDATION.both("date_invalid"),
  date_in_future: VALIDATION.both("date_in_future"),
  date_too_old: VALIDATION.both("date_too_old", { years: String(AGE_MAX) }),
} as const;

export function addProfile(router: Router, deps: IdentityRoutesDeps): void {
  const read = createRoute({
    method: "get",
    path: "/v1/me",
    tags: ["The user"],
    summary: "The user's profile",
    security: userSecurity,
    middleware: requireUser(deps.tokens),
    responses: { 200: answer(profileSchema, "Profile"), ...problems(401, 429, 503) },
  });
  router.openapi(read, async (c) => {
    const profile = await deps.service.profile(userOf(c).userId);
    return profile === null ? refuseGoneUser(c) : c.json(profileBody(profile), 200);
  });

  const birthDate = z.string().superRefine((text, context) => {
    const code = birthDateProblem(text, deps.clock.nowMs());
    if (code !== null) {
      context.addIssue({
        code: "custom",
        input: text,
        ...saying(code, BIRTH_DATE_WRONG[code]),
      });
    }
  }).openapi({
    type: "string",
    format: "date",
  });
  const change = z.strictObject({
    first_name: name.nullable().optional(),
    last_name: name.nullable().optional(),
    gender: z.enum(["female", "male", "other"]).nullable().optional(),
    birth_date: birthDate.nullable().optional(),
    locale: locale.optional(),
  }).openapi("ProfileChange", { description: "Only what is named changes; null clears" });
  const write = createRoute({
    method: "patch",
    path: "/v1/me",
    tags: ["The user"],
    summary: "Change the profile",
    security: userSecurity,
    middleware: requireUser(deps.tokens),
    request: { body: body(change) },
    responses: {
      200: answer(profileSchema, "Profile after the change"),
      ...problems(400, 401, 413, 415, 422, 429, 503),
    },
  });
  router.openapi(write, async (c) => {
    const { first_name: firstName, last_name: lastName, gender, birth_date: birthDate, locale } = c
      .req.valid("json");
    const profile = await deps.service.updateProfile(userOf(c).userId, {
      ...(firstName === undefined ? {} : { firstName }),
      ...(lastName === undefined ? {} : { lastName }),
      ...(gender === undefined ? {} : { gender }),
      ...(birthDate === undefined ? {} : { birthDate }),
      ...(locale === undefined ? {} : { locale }),
    });
    return profile === null ? refuseGoneUser(c) : c.json(profileBody(profile), 200);
  });
}
