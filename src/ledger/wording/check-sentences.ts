// One line for each rule that was looked at: what it needed and what it found. It decides nothing.
import type { Locale, Say } from "../../texts/catalogue.ts";
import type { CHECKS_FR } from "../../texts/checks.fr.ts";
import { dateText, eurosText, integerText, pluralForm, pointsText } from "../../texts/formats.ts";
import { CHECKS } from "../../texts/texts.ts";
import type { RuleCheck } from "../ports.ts";
import { PENDING_DAYS_MAX } from "../purchases/verdict-state.ts";
import {
  channelText,
  keptPointsSum,
  numberOf,
  periodText,
  troubleText,
  windowText,
} from "./formats.ts";

type Line = {
  readonly check: RuleCheck;
  /** All checks of the row: a sum needs several. */
  readonly checks: readonly RuleCheck[];
  readonly locale: Locale;
  readonly say: Say<typeof CHECKS_FR>;
};

// ---- the earning rules --------------------------------------------------------------------------

function minimumLine({ check, locale, say }: Line): string {
  if (check.measure === "least_points") {
    return say("least_points", { points: integerText(numberOf(check.found), locale) });
  }
  const found = eurosText(numberOf(check.found), locale);
  return check.needed === null
    ? say("minimum_none", { found })
    : say("minimum", { needed: eurosText(numberOf(check.needed), locale), found });
}

function maximumLine({ check, locale, say }: Line): string {
  const found = eurosText(numberOf(check.found), locale);
  return check.needed === null
    ? say("maximum_none", { found })
    : say("maximum", { needed: eurosText(numberOf(check.needed), locale), found });
}

function capLine({ check, locale, say }: Line): string {
  const cap = check.measure === "points_per_purchase"
    ? say("cap_points_per_purchase")
    : say(check.measure === "purchases_per_period" ? "cap_purchases" : "cap_points", {
      period: periodText(check.period, locale),
    });
  if (check.needed === null) return say("cap_none", { cap });
  return say("cap", {
    cap,
    needed: integerText(numberOf(check.needed), locale),
    found: integerText(numberOf(check.found), locale),
  });
}

function windowLine(line: Line): string {
  const { check: { needed, found }, locale, say } = line;
  return typeof needed === "string" && typeof found === "string"
    ? say("offer_window", { window: windowText(needed, locale), day: dateText(found, locale) })
    : yesOrNo(line, "question_offer_not_in_force");
}

function activationLine({ check: { needed, found }, locale, say }: Line): string {
  if (needed === "automatic") return say("activation_not_needed");
  return typeof found === "string"
    ? say("activation_window", { window: windowText(found, locale) })
    : say("activation_none");
}

function firstPurchaseLine({ check, say }: Line): string {
  if (check.needed === null) return say("first_purchase_not_needed");
  return say(check.passed ? "first_purchase_yes" : "first_purchase_no");
}

type Question = Extract<keyof typeof CHECKS_FR, `question_${string}`>;

function yesOrNo({ check, say }: Line, question: Question): string {
  return say(check.passed ? "yes" : "no", { question: say(question) });
}

function ruleLine(line: Line): string {
  const { check, locale, say } = line;
  switch (check.rule) {
    case "currency_unsupported":
      return say("currency", {
        needed: String(check.needed ?? "EUR"),
        found: String(check.found ?? "?"),
      });
    case "offer_not_in_force":
      return windowLine(line);
    case "wrong_channel":
      return say("channel", {
        needed: channelText(check.needed, locale),
        found: channelText(check.found, locale),
      });
    case "not_first_purchase":
      return firstPurchaseLine(line);
    case "above_maximum":
      return maximumLine(line);
    case "below_minimum":
      return minimumLine(line);
    case "activation_missing":
      return activationLine(line);
    case "cap_reached":
      return capLine(line);
    default:
      return yesOrNo(line, `question_${check.rule}`);
  }
}

// ---- the stages of a row (views/row-checks.ts) --------------------------------------------------

function bankStateLine({ check: { found }, say }: Line): string {
  switch (found) {
    case "booked":
      return say("bank_booked");
    case "lapsed":
      return say("bank_lapsed", { days: String(PENDING_DAYS_MAX) });
    case "deleted":
      return say("bank_deleted");
    default:
      return say("bank_pending");
  }
}

function reviewLine({ check: { found }, locale, say }: Line): string {
  switch (found) {
    case "ordinary":
      return say("review_ordinary");
    case "cleared":
      return say("review_cleared");
    case "lapsed":
      return say("review_lapsed");
    case "refused":
      return say("review_refused");
    default: {
      const trouble = troubleText(found, locale);
      return trouble === null ? say("review_open") : say("review_open_because", { trouble });
    }
  }
}

function budgetLine({ check, locale, say }: Line): string {
  const wanted = pointsText(numberOf(check.needed), locale);
  const exhausted = check.rule === "budget_exhausted";
  if (check.found === null) {
    return say(exhausted ? "budget_not_enough" : "budget_under_way", { wanted });
  }
  const points = numberOf(check.found);
  const form = pluralForm(points, locale);
  return say(exhausted ? `budget_available_${form}` : `budget_reserved_${form}`, {
    wanted,
    found: integerText(points, locale),
  });
}

function keptCentsLine({ check, locale, say }: Line): string {
  if (check.passed) return say("refund_none");
  const [whole, left] = [numberOf(check.needed), numberOf(check.found)];
  return say("refund_part", {
    back: eurosText(whole - left, locale),
    whole: eurosText(whole, locale),
  });
}

function keptPointsLine({ check, checks, locale, say }: Line): string {
  const kept = integerText(numberOf(check.found), locale);
  const granted = integerText(numberOf(check.needed), locale);
  const sum = keptPointsSum(checks, locale);
  return sum === null
    ? say("kept_points", { kept, granted })
    : say("kept_points_because", { kept, granted, sum });
}

function refundCentsLine({ check, locale, say }: Line): string {
  const [whole, taken] = [numberOf(check.needed), numberOf(check.found)];
  return say(taken > whole ? "refund_counted_foreign" : "refund_counted", {
    taken: eurosText(taken, locale),
    whole: eurosText(whole, locale),
  });
}

function takenBackLine({ check, locale, say }: Line): string {
  const what = check.rule === "refunded" ? say("taken_back") : say(
    check.measure === "taken_back_points_together"
      ? "taken_back_by_all_refunds"
      : "taken_back_from_purchase",
  );
  if (check.needed === 0) return say("taken_back_nothing_earned", { what });
  const taken = integerText(numberOf(check.found), locale);
  return check.needed === null
    ? say("taken_back_count", { what, taken })
    : say("taken_back_of", { what, taken, granted: integerText(numberOf(check.needed), locale) });
}

/**
 * One line for a rule that was looked at: what it needed and what it found. `checks` are all those
 * of the row: a sum needs several.
 */
export function checkText(
  check: RuleCheck,
  locale: Locale,
  checks: readonly RuleCheck[] = [check],
): string {
  const line: Line = { check, checks, locale, say: CHECKS.in(locale) };
  switch (check.measure) {
    case "bank_state":
      return bankStateLine(line);
    case "purchase_day":
      return line.say("bank_ahead", { day: dateText(String(check.needed), locale) });
    case "review_result":
      return reviewLine(line);
    case "budget_points":
      return budgetLine(line);
    case "kept_cents":
      return keptCentsLine(line);
    case "kept_points":
      return keptPointsLine(line);
    case "refund_cents":
      return refundCentsLine(line);
    case "taken_back_points":
    case "taken_back_points_together":
      return takenBackLine(line);
    default:
      return ruleLine(line);
  }
}
