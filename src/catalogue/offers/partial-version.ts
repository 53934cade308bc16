// The terms of a line of a file whose format is wrong in places: what the sound members mean is
// judged all the same, so that one answer lists all that is wrong.
import { checkOfferVersion } from "../terms/check-version.ts";
import type { OfferVersionProblem } from "../terms/version-problems.ts";
import { versionInput } from "./offer-input.ts";

// What replaces a member that is missing or cannot be read: nothing that contradicts another.
const STAND_INS = {
  kind: "unreadable",
  activation: "required",
  channel: "any",
  starts_at: "2000-01-01",
  confirmation_days: 0,
  priority: 0,
} as const;

/** Problems of the members that could be read; none that a replacement could have caused. */
export function partialVersionProblems(
  value: unknown,
  pointsPerEuro: number,
): readonly OfferVersionProblem[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  const members = value as Readonly<Record<string, unknown>>;
  const sound: Record<string, unknown> = {};
  const unread = new Set<string>(Object.keys(STAND_INS).filter((name) => !(name in members)));
  for (const [name, schema] of Object.entries(versionInput.shape)) {
    if (!Object.hasOwn(members, name)) continue;
    const parsed = schema.safeParse(members[name]);
    if (parsed.success) sound[name] = parsed.data;
    else unread.add(name);
  }
  const checked = checkOfferVersion({ ...STAND_INS, ...sound }, { pointsPerEuro });
  if (checked.ok) return [];
  const capUnread = unread.has("cap_points_per_user") || unread.has("cap_purchases_per_user");
  return checked.error.filter(({ pointer, code }) =>
    !unread.has(pointer.split("/")[1] ?? "") && code !== "budget_below_least_grant" &&
    !(code === "period_without_cap" && capUnread)
  );
}
