// Measures a recogniser on labelled lines: precision, recall and kind. Used by the command, by the
// tests and by a proposal that shows its effect before anybody approves it. Pure.

import { compactOf } from "./alias.ts";
import { DESCRIPTORS } from "./data/descriptors.ts";
import type { BrandEntry, Recogniser, RowKind } from "./ports.ts";

/** A label with its right answer; `brand` is set for purchases and refunds only. */
export type LabelledRow = {
  readonly label: string;
  readonly brand: string | null;
  readonly kind: RowKind;
  /** What makes the line hard; lines without one are counted under "none". */
  readonly trap?: string;
};

type Tally = { rows: number; right: number; wrong: number; missed: number };

/**
 * `right`: the right brand; `wrong`: a brand where another or none was right; `missed`: a brand was
 * right and another or none was found. A wrong brand on a branded row is both wrong and missed.
 */
export type Measured = {
  readonly total: Tally;
  readonly precision: number;
  readonly recall: number;
  /** Share of the rows whose kind is right. */
  readonly kind: number;
  readonly byTrap: ReadonlyMap<string, Tally>;
};

/** One row that came out otherwise than labelled. */
type Mistake = {
  readonly row: LabelledRow;
  readonly brandId: string | null;
  readonly kind: RowKind;
};

function newTally(): Tally {
  return { rows: 0, right: 0, wrong: 0, missed: 0 };
}

/**
 * Runs every row. A brand outside `counted` (a distractor) counts as none found: only the
 * catalogue's partners pay rewards. `onMistake` sees each row whose brand or kind is not as
 * labelled.
 */
export function measure(
  recogniser: Recogniser,
  rows: readonly LabelledRow[],
  counted: ReadonlySet<string>,
  onMistake?: (mistake: Mistake) => void,
): Measured {
  const total = newTally();
  const byTrap = new Map<string, Tally>();
  let kinds = 0;
  for (const row of rows) {
    const got = recogniser.recognise(row.label);
    const found = got.brandId !== null && counted.has(got.brandId) ? got.brandId : null;
    const trap = row.trap ?? "none";
    const tally = byTrap.get(trap) ?? newTally();
    byTrap.set(trap, tally);
    for (const into of [total, tally]) {
      into.rows += 1;
      if (found !== null && found === row.brand) into.right += 1;
      else if (found !== null) into.wrong += 1;
      if (row.brand !== null && found !== row.brand) into.missed += 1;
    }
    if (got.kind === row.kind) kinds += 1;
    if (found !== row.brand || got.kind !== row.kind) {
      onMistake?.({ row, brandId: found, kind: got.kind });
    }
  }
  const share = (part: number, whole: number): number => (whole === 0 ? 1 : part / whole);
  return {
    total,
    precision: share(total.right, total.right + total.wrong),
    recall: share(total.right, total.right + total.missed),
    kind: share(kinds, rows.length),
    byTrap,
  };
}

/** The names under which the descriptors know the same brand: "Pathé Gaumont" is Pathé. */
function otherNamesOf(key: string): readonly string[] {
  return DESCRIPTORS.filter(({ brand }) => brand.includes(key)).flatMap(({ brand }) => brand);
}

/**
 * Turns brands that rows name by id, name or alias into ids of the catalogue. A brand that the
 * catalogue lacks is null, or becomes a brand of its own with `addNamed`, known by its name alone.
 */
export function resolveBrands(
  rows: readonly LabelledRow[],
  brands: readonly BrandEntry[],
  addNamed: boolean,
): { readonly rows: readonly LabelledRow[]; readonly brands: readonly BrandEntry[] } {
  const known = new Map<string, string>();
  for (const { aliases, id } of brands) {
    for (const alias of aliases) known.set(compactOf(alias), id);
  }
  for (const { name, id } of brands) known.set(compactOf(name), id);
  const ids = new Set(brands.map((brand) => brand.id));
  const all = [...brands];
  const idOf = (named: string): string | null => {
    if (ids.has(named)) return named;
    const key = compactOf(named);
    const id = known.get(key) ?? otherNamesOf(key).map((name) => known.get(name))
      .find((found) => found !== undefined);
    if (id !== undefined || !addNamed) return id ?? null;
    known.set(key, named);
    all.push({ id: named, name: named, aliases: [named] });
    return named;
  };
  const resolved = rows.map((row) => ({
    ...row,
    brand: row.brand === null ? null : idOf(row.brand),
  }));
  return { rows: resolved, brands: all };
}

const percent = (value: number): string => value.toFixed(4);

/** The measurement as text, a line for each trap. Holds counts, never a label. */
export function formatMeasured(title: string, measured: Measured): string {
  const { total } = measured;
  const traps = [...measured.byTrap].sort(([a], [b]) => (a < b ? -1 : 1)).map(([trap, tally]) =>
    `  ${trap.padEnd(24)} rows ${String(tally.rows).padStart(4)}  right ${
      String(tally.right).padStart(4)
    }  wrong ${String(tally.wrong)}  missed ${String(tally.missed)}`
  );
  return [
    `${title}: precision ${percent(measured.precision)}, recall ${percent(measured.recall)}, kind ${
      percent(measured.kind)
    } (rows ${String(total.rows)}, right ${String(total.right)}, wrong ${
      String(total.wrong)
    }, missed ${String(total.missed)})`,
    ...traps,
  ].join("\n");
}
