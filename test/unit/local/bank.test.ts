// The sandbox's bank: labels in the banks' habits, the invented past, times as the aggregator
// writes them, what a redirect may be.
import { describe, expect, it } from "vitest";
import { inventHistory } from "../../../src/local/sandbox/history.ts";
import type { CardOperation } from "../../../src/local/sandbox/labels.ts";
import {
  bankFormats,
  purchaseLabel,
  refundLabel,
  withdrawalLabel,
} from "../../../src/local/sandbox/labels.ts";
import { codeIn } from "../../../src/local/sandbox/mailbox.ts";
import {
  addDays,
  dateBound,
  endOfMonth,
  isDate,
  markAfter,
  monthsBefore,
  parisDate,
  parisDateTime,
  signatureDate,
} from "../../../src/local/sandbox/powens-time.ts";
import { isRedirectUri } from "../../../src/local/sandbox/webview-link.ts";
import { centsOf } from "../../../src/local/sandbox/wire.ts";

const operation: CardOperation = {
  merchant: "Leroy Merlin Étoile",
  town: "Ivry-sur-Seine",
  date: "2026-11-12",
  card: "2335",
};

describe("labels", () => {
  it("follow each bank's habit, upper case, without accents, cut where that bank cuts", () => {
    const labels = Object.fromEntries(
      bankFormats.map((format) => [format, purchaseLabel(format, operation)]),
    );
    expect(labels).toEqual({
      simple: "CB LEROY MERLIN ETOILE IVRY-SUR-SEIN 12/11",
      bnp: "FACTURE CARTE DU 121126 LEROY MERLIN ET IVRY-SUR-SEIN CARTE 4974XXXXXXXX2335",
      societe_generale: "CARTE X2335 12/11 LEROY MERLIN ET",
      credit_agricole: "PAIEMENT PAR CARTE X2335 LEROY MERLIN ETOILE 12/11",
      lcl: "CB  LEROY MERLIN ETO 12/11/26",
      credit_mutuel: "PAIEMENT CB 1211 IVRY-SUR-SEIN LEROY MERLIN ETOI CARTE 2335",
      boursobank: "CARTE 12/11/26 LEROY MERLIN ETOI CB*2335",
      banque_populaire: "121126 CB****2335 LEROY MERLIN ET 39IVRY-SUR-SEIN",
      caisse_epargne: "CB LEROY MERLIN ET FACT 121126",
      la_banque_postale: "ACHAT CB LEROY MERLIN ETO 12.11.26 CARTE NUMERO 335",
      fortuneo: "CARTE 12/11 LEROY MERLIN ETOILE IVRY-SUR-SEIN",
      axa: "CARTE 12/11 LEROY MERLIN ET",
      n26: "Leroy Merlin Etoile",
    });
  });

  it("leave no hole where there is no town, but keep the padding of the banks that pad", () => {
    const online = { ...operation, merchant: "Fnac", town: "" };
    expect(purchaseLabel("bnp", online)).toBe(
      "FACTURE CARTE DU 121126 FNAC CARTE 4974XXXXXXXX2335",
    );
    expect(purchaseLabel("lcl", online)).toBe("CB  FNAC             12/11/26");
    expect(purchaseLabel("caisse_epargne", online)).toBe("CB FNAC            FACT 121126");
  });

  it("distinguish refunds and cash by their heads", () => {
    expect(refundLabel("bnp", operation)).toMatch(/^REMBOURST CB DU 121126 LEROY MERLIN ET/u);
    expect(refundLabel("simple", operation)).toBe(
      "AVOIR CB LEROY MERLIN ETOILE IVRY-SUR-SEIN 12/11",
    );
    expect(withdrawalLabel("societe_generale", operation)).toBe(
      "CARTE X2335 RETRAIT DAB 12/11 11H39 IVRY-SUR-SEIN 00250262",
    );
    for (const format of bankFormats) {
      expect(withdrawalLabel(format, operation)).toMatch(/RETRAIT/u);
    }
  });
});

describe("the invented past", () => {
  const rows = inventHistory("bank|alice", "simple", "2026-11-23", 3);

  it("is the same for the same customer and another for another one", () => {
    expect(inventHistory("bank|alice", "simple", "2026-11-23", 3)).toEqual(rows);
    expect(inventHistory("bank|bob", "simple", "2026-11-23", 3)).not.toEqual(rows);
  });

  it("is older than the day of the consent, oldest first, and begins where asked", () => {
    const dates = rows.map(({ doc }) => doc.date);
    expect(dates.every((date) => date < "2026-11-23" && date >= "2026-08-01")).toBe(true);
    expect(dates).toEqual([...dates].sort());
    expect(inventHistory("bank|alice", "simple", "2026-11-01", 0)).toEqual([]);
  });

  it("holds every kind of row that a real account has", () => {
    const types = new Set(rows.map(({ kind, doc }) => `${kind}:${doc.type}`));
    expect([...types].sort()).toEqual([
      "card:deferred_card",
      "checking:card",
      "checking:order",
      "checking:summary_card",
      "checking:transfer",
      "checking:withdrawal",
      "livret_a:transfer",
    ]);
    expect(
      rows.filter(({ doc }) => doc.type.includes("card")).every(({ doc }) =>
        doc.counterparty === null
      ),
    ).toBe(true);
  });

  it("debits each whole month's deferred purchases exactly once, at its end", () => {
    for (const month of ["2026-08", "2026-09", "2026-10"]) {
      const deferred = rows.filter(({ doc }) =>
        doc.type === "deferred_card" && doc.rdate.startsWith(month)
      ).reduce((sum, { doc }) => sum + centsOf(doc.value), 0);
      const summaries = rows.filter(({ doc }) =>
        doc.type === "summary_card" && doc.date.startsWith(month)
      );
      expect(summaries).toHaveLength(1);
      expect(centsOf(summaries[0]?.doc.value ?? "")).toBe(deferred);
      expect(deferred).toBeLessThan(0);
    }
  });

  it("keeps the whole months unchanged when it is made a month later", () => {
    const october = (list: typeof rows) =>
      list.filter(({ doc }) => doc.rdate.startsWith("2026-10"));
    expect(october(inventHistory("bank|alice", "simple", "2026-12-23", 3))).toEqual(october(rows));
  });
});

describe("times", () => {
  it("are Paris wall time on both sides of the two clock changes", () => {
    expect(parisDateTime(Date.parse("2026-03-29T00:59:59Z"))).toBe("2026-03-29 01:59:59");
    expect(parisDateTime(Date.parse("2026-03-29T01:00:00Z"))).toBe("2026-03-29 03:00:00");
    expect(parisDateTime(Date.parse("2026-10-25T00:30:00Z"))).toBe("2026-10-25 02:30:00");
    expect(parisDateTime(Date.parse("2026-10-25T01:30:00Z"))).toBe("2026-10-25 02:30:00");
    expect(parisDate(Date.parse("2026-12-31T23:30:00Z"))).toBe("2027-01-01");
  });

  it("give each state of a row a mark of its own, also within one second", () => {
    expect(markAfter("2026-11-23 10:00:00", "2026-11-23 10:00:01")).toBe("2026-11-23 10:00:01");
    expect(markAfter("2026-11-23 23:59:59", "2026-11-23 23:59:59")).toBe("2026-11-24 00:00:00");
    expect(markAfter("2026-11-23 10:00:02", "2026-11-23 10:00:01")).toBe("2026-11-23 10:00:03");
  });

  it("count days and months over their ends", () => {
    expect(addDays("2026-02-28", 1)).toBe("2026-03-01");
    expect([endOfMonth("2026-02-03"), endOfMonth("2028-02-03"), endOfMonth("2026-12-31")]).toEqual([
      "2026-02-28",
      "2028-02-29",
      "2026-12-31",
    ]);
    expect([monthsBefore("2026-01-31", 1), monthsBefore("2026-03-31", 0)]).toEqual([
      "2025-12-01",
      "2026-03-01",
    ]);
  });

  it("take a date, a month or a year as a bound, and refuse the rest", () => {
    expect([
      dateBound("2026-02", "last"),
      dateBound("2026", "first"),
      dateBound("2026-02-30", "first"),
      dateBound("x", "last"),
    ]).toEqual(["2026-02-28", "2026-01-01", null, null]);
    expect(isDate("2026-02-29")).toBe(false);
  });

  it("write the signature's date with microseconds", () => {
    expect(signatureDate(Date.parse("2026-01-15T06:30:00.123Z"))).toBe(
      "2026-01-15T06:30:00.123000Z",
    );
  });
});

describe("redirects and codes", () => {
  it("go to a web address or an app, without parameters, and never to a script", () => {
    expect(
      ["myapp://done", "http://127.0.0.1:8788/done", "https://a.example/x"].every(isRedirectUri),
    ).toBe(true);
    for (
      const text of [
        "",
        "done",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://a.example/?x=1",
        "https://a.example/#x",
      ]
    ) expect(isRedirectUri(text)).toBe(false);
  });

  it("are found in the text of an e-mail", () => {
    expect(codeIn("Votre code est 123456.")).toBe("123456");
    expect(codeIn("Votre code : 123 456")).toBe("123456");
    expect(codeIn("Commande 1234567, couleur #123456")).toBeNull();
  });
});
