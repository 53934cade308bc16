// Advice to an operator about the aliases of a brand, before they are saved. Advice only: an
// ordinary word is allowed, it just matches less. Pure.

import { compactOf, formsOf, WEAK } from "./alias.ts";
import type { AliasWarning, BrandEntry } from "./ports.ts";

const SHORTEST = 4;

function spellings(brand: BrandEntry): Set<string> {
  return new Set(
    [brand.name, ...brand.aliases].flatMap((alias) => formsOf(alias).map((form) => form.compact)),
  );
}

/**
 * What to look at in `draft`: aliases of fewer than four letters and digits, aliases that are
 * ordinary words, first names or towns (they match only alone or beside a number, town or legal
 * form), and spellings that another brand has too (they match neither). `brands` may contain the
 * draft's older self: the same id does not collide.
 */
export function aliasWarnings(
  brands: readonly BrandEntry[],
  draft: BrandEntry,
): readonly AliasWarning[] {
  const warnings: AliasWarning[] = [];
  const aliases = [...new Set([draft.name, ...draft.aliases])];
  for (const alias of aliases) {
    const compact = compactOf(alias);
    const forms = formsOf(alias);
    if (compact.length < SHORTEST) warnings.push({ code: "alias_too_short", alias });
    const [first] = forms;
    if (compact.length >= SHORTEST && first !== undefined && first.strength === WEAK) {
      warnings.push({ code: "alias_ordinary_word", alias });
    }
  }
  for (const other of brands) {
    if (other.id === draft.id) continue;
    const theirs = spellings(other);
    for (const alias of aliases) {
      if (formsOf(alias).some((form) => theirs.has(form.compact))) {
        warnings.push({ code: "alias_collides", alias, with: other.id });
      }
    }
  }
  return warnings;
}
