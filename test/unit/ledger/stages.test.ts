// What a row shows of itself in every state it can come to: the rules that were looked at around
// the earning rules, and the answer in words. The real engine brings the rows there; the no-break
// space is written as an ordinary one.
import { describe, expect, test } from "vitest";
import type { BankRow, PurchaseView, RuleCheck } from "../../../src/ledger/ports.ts";
import { presentPurchase } from "../../../src/ledger/routes/present.ts";
import type { Locale } from "../../../src/texts/catalogue.ts";
import { account, at, offer, PROGRAMME, row } from "../../contract/ledger-factories.ts";
import { openBook, TODAY, value } from "./book.ts";
import type { Book } from "./book.ts";

const NOW = at(TODAY);
const STAGES: ReadonlySet<string> = new Set([
  "account_not_earning",
  "duplicate",
  "not_booked_yet",
  "held_for_review",
  "budget_reserving",
  "budget_exhausted",
  "refunded",
  "refund_applied",
  "refund_without_purchase",
]);
const refund = (id: string, cents: number, more: Partial<BankRow> = {}): BankRow =>
  row(id, { kind: "refund", amountCents: cents, purchasedOn: "2026-11-13", ...more });
const deleted = { state: "deleted", lastUpdateMs: 2000 } as const;
const pending = { state: "pending", bookedOn: null } as const;

/**
 * Stages as `rule needed/found`, a failed one with `!`; those before anything could fail are left
 * out.
 */
function stagesOf({ verdict }: PurchaseView): string[] {
  const shown = (check: RuleCheck): string =>
    `${check.passed ? "" : "!"}${check.rule} ${check.needed ?? "-"}/${check.found ?? "-"}${
      check.measure === "kept_points" ? " points" : ""
    }`;
  return verdict.checks.filter(({ rule, found }) =>
    STAGES.has(rule) && rule !== "account_not_earning" && !(rule === "duplicate" && found === null)
  ).map(shown);
}

function said(view: PurchaseView, locale: Locale = "fr"): string[] {
  return presentPurchase(view, { label: null, brand: null }, { locale, rules: true }).verdict
    .reasons.map((
      { code, message },
    ) => `${code}: ${message.replaceAll("\u00a0", " ")}`);
}

function named(book: Book, externalId: string, date = TODAY): PurchaseView {
  const view = book.purchases(date).find((each) => each.externalId === externalId);
  if (view === undefined) throw new Error(`${externalId} is not shown`);
  return view;
}

function recorded(...deliveries: (readonly BankRow[])[]): Book {
  const book = openBook();
  for (const rows of deliveries) book.record(rows);
  return book;
}

function reviewed(decision: "count" | "refuse", more: Partial<BankRow> = {}): Book {
  const book = recorded([row("1", { review: "amount_precision", ...more })]);
  value(
    book.engine.decideReview({
      purchaseId: book.only().id,
      decision,
      offers: [offer()],
      programme: PROGRAMME,
    }, NOW),
  );
  return book;
}

const BOOKED = "not_booked_yet booked/booked";
const ORDINARY = "held_for_review ordinary/ordinary";
type Shown = readonly [
  state: string,
  view: () => PurchaseView,
  stages: readonly string[],
  french: readonly string[],
];

const SHOWN: readonly Shown[] = [
  ["earned", () => recorded([row("1")]).only(), [BOOKED, ORDINARY, "refunded 3490/3490"], [
    "offer_applied: L'offre s'applique : 3 % de 34,90 € = 104 points, confirmation prévue le 12 décembre 2026.",
  ]],
  ["confirmed", () => recorded([row("1")]).only("2026-12-12"), [
    BOOKED,
    ORDINARY,
    "refunded 3490/3490",
  ], ["offer_applied: L'offre s'applique : 3 % de 34,90 € = 104 points, déjà confirmés."]],
  ["earned and then deleted by the bank", () => recorded([row("1")], [row("1", deleted)]).only(), [
    "!not_booked_yet booked/deleted",
    ORDINARY,
    "!refunded 104/104",
  ], [
    "refunded: Votre banque a annulé cet achat : il ne rapporte pas de points, et 104 points ont été repris.",
  ]],
  ["pending", () => recorded([row("1", pending)]).only(), [
    "!not_booked_yet booked/pending",
    ORDINARY,
  ], [
    "not_booked_yet: Votre banque n'a pas encore comptabilisé cet achat ; nous calculerons ses points dès que ce sera fait.",
  ]],
  ["never booked", () => recorded([row("1", pending)]).only("2026-12-01"), [
    "!not_booked_yet booked/lapsed",
    ORDINARY,
  ], [
    "not_booked_yet: Votre banque n'a pas comptabilisé cet achat au bout de 14 jours : nous le considérons comme annulé ; s'il est comptabilisé plus tard, il sera pris en compte.",
  ]],
  [
    "deleted while pending",
    () => recorded([row("1", pending)], [row("1", { ...deleted, bookedOn: null })]).only(),
    ["!not_booked_yet booked/deleted", ORDINARY],
    ["not_booked_yet: Votre banque a annulé cet achat : il ne rapporte pas de points."],
  ],
  ["held", () => recorded([row("1", { review: "amount_out_of_bounds" })]).only(), [
    BOOKED,
    "!held_for_review ordinary/amount_out_of_bounds",
  ], [
    "held_for_review: Cette opération est inhabituelle (montant hors limites) : une personne de notre équipe la vérifie avant toute décision.",
  ]],
  ["held and pending", () => recorded([row("1", { ...pending, review: "date_absurd" })]).only(), [
    "!not_booked_yet booked/pending",
    "!held_for_review ordinary/date_absurd",
  ], [
    "held_for_review: Cette opération est inhabituelle (date invraisemblable) : une personne de notre équipe la vérifie avant toute décision.",
  ]],
  [
    "held and never booked",
    () => recorded([row("1", { ...pending, review: "amount_precision" })]).only("2026-12-20"),
    ["!not_booked_yet booked/lapsed", "!held_for_review ordinary/amount_precision"],
    ["held_for_review: Votre banque n'a pas comptabilisé cette opération au bout de 14 jours : elle ne compte pas."],
  ],
  [
    "held and then deleted",
    () =>
      recorded([row("1", { review: "amount_precision" })], [
        row("1", { ...deleted, review: "amount_precision" }),
      ]).only(),
    ["!not_booked_yet booked/deleted", "!held_for_review ordinary/amount_precision"],
    ["held_for_review: Votre banque a annulé cette opération avant que nous l'ayons vérifiée : elle ne compte pas."],
  ],
  ["refused by a person", () => reviewed("refuse").only(), [
    BOOKED,
    "!held_for_review ordinary/refused",
  ], [
    "held_for_review: Une personne de notre équipe a vérifié cette opération et ne l'a pas acceptée : elle ne compte pas.",
  ]],
  ["refused while pending", () => reviewed("refuse", pending).only(), [
    "!not_booked_yet booked/pending",
    "!held_for_review ordinary/refused",
  ], [
    "held_for_review: Une personne de notre équipe a vérifié cette opération et ne l'a pas acceptée : elle ne compte pas.",
  ]],
  ["cleared while pending", () => reviewed("count", pending).only(), [
    "!not_booked_yet booked/pending",
    "held_for_review ordinary/cleared",
  ], [
    "not_booked_yet: Votre banque n'a pas encore comptabilisé cet achat ; nous calculerons ses points dès que ce sera fait.",
  ]],
  ["cleared by a person", () => reviewed("count").only(), [
    BOOKED,
    "held_for_review ordinary/cleared",
    "refunded 3490/3490",
  ], [
    "offer_applied: L'offre s'applique : 3 % de 34,90 € = 104 points, confirmation prévue le 12 décembre 2026.",
  ]],
  [
    "refunded in part",
    () => named(recorded([row("1", { amountCents: 2310 }), refund("r", 800)]), "1"),
    [BOOKED, ORDINARY, "!refunded 2310/1510", "!refunded 69/45 points"],
    [
      "offer_applied: L'offre s'applique : 3 % de 23,10 € = 69 points, confirmation prévue le 12 décembre 2026.",
      "refunded: Cet achat a été remboursé en partie (8,00 € sur 23,10 €) : il garde 45 points, en proportion du montant conservé (69 × 15,10 € / 23,10 €, arrondi à l'entier inférieur).",
    ],
  ],
  ["refunded in full", () => named(recorded([row("1"), refund("r", 3490)]), "1"), [
    BOOKED,
    ORDINARY,
    "!refunded 3490/0",
    "!refunded 104/0 points",
  ], [
    "refunded: Cet achat a été entièrement remboursé : il ne rapporte pas de points.",
    "offer_applied: L'offre s'est d'abord appliquée : 3 % de 34,90 € = 104 points.",
  ]],
  [
    "without points, refunded",
    () =>
      named(
        recorded([
          row("1", { brand: { id: "brd_other", matched: "X" } }),
          refund("r", 1000, { brand: { id: "brd_other", matched: "X" } }),
        ]),
        "1",
      ),
    [BOOKED, ORDINARY, "!refunded 3490/2490"],
    ["brand_without_offer: Cette marque ne proposait pas d'offre le jour de votre achat."],
  ],
  ["a refund without its purchase yet", () => recorded([refund("r", 800)]).only(), [
    BOOKED,
    ORDINARY,
    "!refund_without_purchase -/-",
  ], [
    "refund_without_purchase: Nous n'avons pas encore retrouvé l'achat correspondant à ce remboursement ; en attendant, aucun point ne vous est repris.",
  ]],
  [
    "a refund that never found its purchase",
    () => recorded([refund("r", 800)]).only("2027-03-01"),
    [BOOKED, ORDINARY, "!refund_without_purchase -/-"],
    ["refund_without_purchase: Nous n'avons pas retrouvé l'achat correspondant à ce remboursement en 90 jours ; aucun point ne vous est repris."],
  ],
  ["a refund of no known brand", () => recorded([refund("r", 800, { brand: null })]).only(), [
    BOOKED,
    ORDINARY,
  ], [
    "refund_without_purchase: Nous ne reconnaissons pas la marque de ce remboursement et ne cherchons donc pas l'achat correspondant ; aucun point ne vous est repris.",
    "brand_unknown: Nous n'avons reconnu aucune marque partenaire dans le libellé de votre banque.",
  ]],
  ["a pending refund", () => recorded([refund("r", 800, pending)]).only(), [
    "!not_booked_yet booked/pending",
    ORDINARY,
  ], [
    "not_booked_yet: Votre banque n'a pas encore comptabilisé ce remboursement ; nous chercherons l'achat remboursé dès que ce sera fait.",
  ]],
  [
    "a refund that the bank deleted",
    () => named(recorded([row("1"), refund("r", 3490)], [refund("r", 3490, deleted)]), "r"),
    ["!not_booked_yet booked/deleted", ORDINARY],
    ["refund_applied: Votre banque a annulé ce remboursement : il ne change plus vos points."],
  ],
  [
    "a refund that is held",
    () => named(recorded([row("1"), refund("r", 3490, { review: "amount_precision" })]), "r"),
    [BOOKED, "!held_for_review ordinary/amount_precision"],
    ["held_for_review: Cette opération est inhabituelle (montant plus précis que le centime) : une personne de notre équipe la vérifie avant toute décision."],
  ],
];

describe("a row shows the stages that it went through and a true answer", () => {
  test.each(SHOWN)("%s", (_state, view, stages, french) => {
    const shown = view();
    expect(stagesOf(shown)).toEqual(stages);
    expect(said(shown)).toEqual(french);
  });

  test("in English too, and never with an id or a code among the words", () => {
    for (const [, view] of SHOWN) {
      for (const locale of ["fr", "en"] as const) {
        const { rules = [], reasons } =
          presentPurchase(view(), { label: null, brand: null }, { locale, rules: true }).verdict;
        expect(rules).not.toEqual([]);
        for (
          const text of [
            ...rules.map((rule) => rule.text),
            ...reasons.map((reason) => reason.message),
          ]
        ) expect(text).not.toMatch(/_|undefined|null|NaN/);
      }
      expect(said(view(), "en")).not.toEqual(said(view()));
    }
  });

  test("an earned purchase shows them around the earning rules, the account first and the refunds last", () => {
    const rules = recorded([row("1")]).only().verdict.checks.map(({ rule }) => rule);
    expect(rules.slice(0, 5)).toEqual([
      "account_not_earning",
      "duplicate",
      "not_booked_yet",
      "held_for_review",
      "currency_unsupported",
    ]);
    expect(rules.at(-1)).toBe("refunded");
  });

  test("a row that only repeats another names the purchase it repeats, in the export where alone it is shown", () => {
    const book = openBook();
    const accounts = [account("acc_1"), account("acc_2", { createdAtMs: at("2026-11-10") })];
    book.record([row("1")], TODAY, { accounts });
    book.record([row("again", { accountId: "acc_2" })], TODAY, { accounts });
    const { purchases } = value(book.engine.exportPage(null, NOW));
    const again = purchases.find((each) => each.externalId === "again");
    if (again === undefined) throw new Error("the export holds every row");
    expect(again.verdict.checks.filter(({ passed }) => !passed)).toEqual([{
      rule: "duplicate",
      offerId: null,
      version: null,
      passed: false,
      needed: null,
      found: book.only().id,
      measure: "purchase_id",
    }]);
    expect(said(again)).toEqual([
      "duplicate: Cette opération est déjà enregistrée et ne compte qu'une fois.",
    ]);
  });

  test("a row that may repeat another says what the doubt is", () => {
    const book = openBook();
    const weak = (id: string, from: string): ReturnType<typeof account> =>
      account(id, { strength: "weak", createdAtMs: at(from) });
    book.record(
      [row("a", { purchasedOn: "2026-11-10" }), row("b", { accountId: "acc_2" })],
      TODAY,
      {
        accounts: [
          { ...weak("acc_1", "2026-10-01"), goneAtMs: at("2026-11-13") },
          weak("acc_2", "2026-11-13"),
        ],
      },
    );
    expect(stagesOf(named(book, "b"))).toEqual([BOOKED, "!held_for_review ordinary/weak_account"]);
  });
});

describe("a refund row", () => {
  const checkOf = (view: PurchaseView): RuleCheck | undefined =>
    view.verdict.checks.find(({ rule }) => rule === "refund_applied");

  test("names its purchase and the points that it really took", () => {
    const book = recorded([row("1", { amountCents: 2310 }), refund("r", 800)]);
    expect(stagesOf(named(book, "r"))).toEqual([
      BOOKED,
      ORDINARY,
      `refund_without_purchase -/${named(book, "1").id}`,
      "refund_applied 69/24",
    ]);
    expect(checkOf(named(book, "r"))?.measure).toBe("taken_back_points");
  });

  test("that is one of several says what all of them took", () => {
    const book = recorded([row("1", { amountCents: 2310 }), refund("r", 800), refund("s", 300)]);
    for (const id of ["r", "s"]) {
      expect(checkOf(named(book, id))).toMatchObject({
        needed: 69,
        found: 33,
        measure: "taken_back_points_together",
      });
    }
    expect(said(named(book, "r"))[0]).toContain("33 points ont été repris en tout");
  });

  test("of a purchase without points takes nothing, and says so", () => {
    const book = recorded([row("1", { amountCents: 20 }), refund("r", 5)]);
    expect(checkOf(named(book, "r"))).toMatchObject({ needed: 0, found: 0 });
    expect(said(named(book, "r"))).toEqual([
      "refund_applied: Nous avons rattaché ce remboursement à l'achat d'origine, qui n'avait pas rapporté de points : aucun point ne vous est repris.",
    ]);
  });

  test("of a purchase whose points have expired took none of them", () => {
    const book = recorded([row("1", { purchasedOn: "2026-10-01" })]);
    value(
      book.engine.noticeSent(
        { daysBefore: 30, expiresOn: "2030-01-01", lots: [1] },
        at("2028-10-10"),
      ),
    );
    book.record([refund("r", 3490)], "2028-11-01");
    expect(checkOf(named(book, "r", "2028-11-01"))).toMatchObject({ needed: 104, found: 0 });
    expect(said(named(book, "r", "2028-11-01"))).toEqual([
      "refund_applied: Nous avons rattaché ce remboursement à l'achat d'origine : aucun point ne vous est repris.",
    ]);
  });
});

describe("a purchase under a budget", () => {
  const offers = [offer({ rateBp: 1000, budgetPoints: 500 })];
  const answer = (book: Book, granted: boolean, held: number, left: number): void => {
    const [task] = value(book.engine.budgetTasks(null, NOW));
    if (task === undefined) throw new Error("nothing is asked of the budget");
    value(
      granted
        ? book.engine.budgetGranted(task, NOW)
        : book.engine.budgetDenied({ ...task, held, left }, NOW),
    );
  };
  const asking = (): Book => {
    const book = openBook();
    book.record([row("1", { amountCents: 3000 })], TODAY, { offers });
    return book;
  };
  const corrected = (): Book => {
    const book = asking();
    answer(book, true, 300, 500);
    book.record([row("1", { amountCents: 4000, lastUpdateMs: 2000 })], TODAY, { offers });
    return book;
  };
  const budgetStages = (book: Book): string[] =>
    stagesOf(book.only()).filter((stage) => stage.includes("budget"));

  test("shows what it asks for until the budget answered", () => {
    const book = asking();
    expect(budgetStages(book)).toEqual(["!budget_reserving 300/-"]);
    expect(said(book.only())).toEqual([
      "budget_reserving: Nous réservons les points de cet achat sur le budget de l'offre (10 % de 30,00 € = 300 points) : vous n'avez rien à faire.",
    ]);
    answer(book, true, 300, 500);
    expect(budgetStages(book)).toEqual(["budget_reserving 300/300"]);
  });

  test("distinguishes a budget that had too little left from one that was used up", () => {
    const [little, none] = [asking(), asking()];
    answer(little, false, 0, 200);
    answer(none, false, 0, 0);
    expect(budgetStages(little)).toEqual(["!budget_exhausted 300/200"]);
    expect(said(little.only())).toEqual([
      "budget_exhausted: Le budget de l'offre ne suffisait plus pour votre achat : il restait 200 points, et il en fallait 300 (calcul de l'offre : 10 % de 30,00 € = 300 points).",
    ]);
    expect(said(none.only())).toEqual([
      "budget_exhausted: Le budget de l'offre était épuisé lorsque nous avons traité votre achat (calcul de l'offre : 10 % de 30,00 € = 300 points).",
    ]);
  });

  test("keeps its points while a correction waits for the budget, and when that has no more", () => {
    const book = corrected();
    expect(said(book.only())[1]).toBe(
      "budget_reserving: Cet achat garde 300 points ; nous en réservons 100 de plus sur le budget de l'offre : vous n'avez rien à faire.",
    );
    answer(book, false, 300, 350);
    expect(budgetStages(book)).toEqual(["!budget_exhausted 400/350", "budget_reserving 300/300"]);
    expect(said(book.only())[1]).toBe(
      "budget_exhausted: Le budget de l'offre ne suffisait pas pour ajouter des points (400 points demandés, 350 disponibles) : cet achat garde 300 points.",
    );
    // The points that are missing are the budget's doing: no refund is to be blamed for them.
    expect(stagesOf(book.only())).toContain("refunded 4000/4000");
    expect(stagesOf(book.only()).filter((stage) => stage.endsWith("points"))).toEqual([]);
  });

  test("forgets the denial once it asks again", () => {
    const book = corrected();
    answer(book, false, 300, 350);
    book.record([row("1", { amountCents: 4100, lastUpdateMs: 3000 })], TODAY, { offers });
    answer(book, true, 410, 500);
    expect(budgetStages(book)).toEqual(["budget_reserving 410/410"]);
    expect(said(book.only())).toHaveLength(1);
  });

  test("asks for nothing once everything was refunded", () => {
    const book = asking();
    answer(book, true, 300, 500);
    book.record([refund("r", 3000)], TODAY, { offers });
    answer(book, true, 0, 500);
    expect(stagesOf(named(book, "1")).filter((stage) => stage.includes("budget"))).toEqual([]);
  });

  test("a refund of one that waits for its budget takes nothing, and does not say that nothing will be earned", () => {
    const book = asking();
    book.record([refund("r", 1000)], TODAY, { offers });
    expect(said(named(book, "r"))).toEqual([
      "refund_applied: Nous avons rattaché ce remboursement à l'achat d'origine : aucun point ne vous est repris.",
    ]);
    expect(named(book, "r").verdict.checks.at(-1)).toMatchObject({
      rule: "refund_applied",
      needed: null,
      found: 0,
    });
  });

  test("that wants its points back again forgets that it was denied them, and not that another offer denied it", () => {
    const both = [
      offer({ rateBp: 1000, budgetPoints: 500 }),
      offer({ offerId: "off_2", rateBp: 500, budgetPoints: 500 }),
    ];
    const book = openBook();
    book.record([row("1", { amountCents: 3000 })], TODAY, { offers: both });
    answer(book, false, 0, 200);
    answer(book, true, 150, 500);
    const budgets = (): string[] =>
      stagesOf(named(book, "1")).filter((stage) => stage.includes("budget"));
    for (const [id, granted] of [["r", false], ["s", true]] as const) {
      book.record([refund(id, 1000)], TODAY, { offers: both });
      // The second finds reserved what is due after it: the budget need not be asked.
      if (id === "r") answer(book, true, 100, 500);
      book.record([refund(id, 1000, deleted)], TODAY, { offers: both });
      answer(book, granted, 100, 120);
      expect(budgets()).toEqual(
        granted
          ? ["!budget_exhausted 300/200", "budget_reserving 150/150"]
          : ["!budget_exhausted 300/200", "!budget_exhausted 150/120", "budget_reserving 100/100"],
      );
    }
  });

  test("capped and deleted while it waits was cancelled by the bank, which no cap has to do with", () => {
    const book = openBook();
    const capped = [offer({ budgetPoints: 500, capPointsPerPurchase: 40 })];
    book.record([row("1")], TODAY, { offers: capped });
    book.record([row("1", deleted)], TODAY, { offers: capped });
    expect(said(book.only())).toEqual([
      "not_booked_yet: Votre banque a annulé cet achat : il ne rapporte pas de points.",
    ]);
  });
});
