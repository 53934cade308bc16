// Makes card labels in the shapes of French banks from invented purchases, for tests on brands,
// towns and cuts that no fixture holds. Deterministic: the caller gives the seed. It must not
// import the recogniser: it would test itself.

/** A small seeded generator (mulberry32): the same seed gives the same labels on every machine. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function pick<T>(random: () => number, items: readonly T[]): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error("pick from an empty list");
  return item;
}

function digits(random: () => number, count: number): string {
  let out = "";
  for (let i = 0; i < count; i += 1) out += String(Math.floor(random() * 10));
  return out;
}

type Day = { dd: string; mm: string; yy: string };

function day(random: () => number): Day {
  return {
    dd: String(1 + Math.floor(random() * 28)).padStart(2, "0"),
    mm: String(1 + Math.floor(random() * 12)).padStart(2, "0"),
    yy: String(17 + Math.floor(random() * 9)),
  };
}

/** What acquirers make of a name: upper case, no accents, apostrophes kept, blanked or dropped. */
export function acquirer(random: () => number, name: string): string {
  const apostrophe = pick(random, ["'", " ", ""]);
  const ampersand = pick(random, ["&", " "]);
  return name.normalize("NFD").replace(/\p{M}/gu, "").replaceAll("œ", "oe").toUpperCase()
    .replaceAll(/['’]/g, apostrophe).replaceAll("&", ampersand).replaceAll(/\s+/g, " ").trim();
}

export type Shape = {
  readonly name: string;
  readonly width: number;
  readonly kind: "card" | "refund";
  readonly make: (merchant: string, town: string, random: () => number) => string;
};

const cut = (text: string, width: number): string => text.slice(0, width).trimEnd();

/**
 * The shapes of card purchases and refunds, by bank; `width` is where the acquirer's merchant is
 * cut.
 */
export const SHAPES: readonly Shape[] = [
  {
    name: "bnp",
    width: 15,
    kind: "card",
    make: (m, t, r) => {
      const d = day(r);
      return `FACTURE CARTE DU ${d.dd}${d.mm}${d.yy} ${cut(m, 15)} ${
        cut(t, 13)
      } CARTE 4974XXXXXXXX${digits(r, 4)}`;
    },
  },
  {
    name: "bnp before 2019",
    width: 15,
    kind: "card",
    make: (m, t, r) => {
      const d = day(r);
      return cut(
        `FACTURE CARTE DU ${d.dd}${d.mm}17 ${cut(m, 15)} ${cut(t, 13)} CARTE 4974XXXXXXXX${
          digits(r, 4)
        }`,
        54,
      );
    },
  },
  {
    name: "bnp online",
    width: 15,
    kind: "card",
    make: (m, _t, r) => {
      const d = day(r);
      return `FACTURE CARTE DU ${d.dd}${d.mm}${d.yy} ${cut(m, 15)} CARTE 4974XXXXXXXX${
        digits(r, 4)
      } ${pick(r, ["FRA", "NLD", "IRL", "LUX"])} ${digits(r, 2)},${digits(r, 2)}EUR`;
    },
  },
  {
    name: "bnp refund",
    width: 15,
    kind: "refund",
    make: (m, t, r) => {
      const d = day(r);
      return `REMBOURST CB DU ${d.dd}${d.mm}${d.yy} ${cut(m, 15)} ${cut(t, 13)} CARTE 4974XXXXXXXX${
        digits(r, 4)
      }`;
    },
  },
  {
    name: "sg short",
    width: 15,
    kind: "card",
    make: (m, _t, r) => {
      const d = day(r);
      return `CARTE X${digits(r, 4)} ${d.dd}/${d.mm} ${cut(m, 15)}`;
    },
  },
  {
    name: "sg detail",
    width: 15,
    kind: "card",
    make: (m, _t, r) => {
      const d = day(r);
      return `CARTE X${digits(r, 4)} ${d.dd}/${d.mm} ${cut(m, 15)} COMMERCE ELECTRONIQUE ${
        digits(r, 15)
      }IOPD`;
    },
  },
  {
    name: "sg refund",
    width: 15,
    kind: "refund",
    make: (m, _t, r) => {
      const d = day(r);
      return `CARTE X${digits(r, 4)} REMBT ${d.dd}/${d.mm} ${cut(m, 15)}`;
    },
  },
  {
    name: "ca",
    width: 20,
    kind: "card",
    make: (m, t, r) => {
      const d = day(r);
      return `PAIEMENT PAR CARTE X${digits(r, 4)} ${cut(`${m} ${t}`, 20)} ${d.dd}/${d.mm}`;
    },
  },
  {
    name: "ca 2025",
    width: 20,
    kind: "card",
    make: (m, t, r) => {
      const d = day(r);
      const text = cut(`${m} ${t}`, 20).toLowerCase().replace(
        /(^| )[a-z]/g,
        (one) => one.toUpperCase(),
      );
      return `Carte X${digits(r, 4)} ${text} ${d.dd}/${d.mm}`;
    },
  },
  {
    name: "lcl",
    width: 15,
    kind: "card",
    make: (m, _t, r) => {
      const d = day(r);
      return `CB  ${cut(m, 15).padEnd(16)} ${d.dd}/${d.mm}/${d.yy}`;
    },
  },
  {
    name: "cic",
    width: 24,
    kind: "card",
    make: (m, t, r) => {
      const d = day(r);
      return `PAIEMENT ${pick(r, ["CB", "PSC", "MOB"])} ${d.dd}${d.mm} ${cut(t, 13)} ${
        r() < 0.2 ? "- " : ""
      }${cut(m, 24)} CARTE ${digits(r, r() < 0.5 ? 4 : 8)}`;
    },
  },
  {
    name: "cic old",
    width: 24,
    kind: "card",
    make: (m, t, r) => {
      const d = day(r);
      return `${cut(m, 24)} CARTE ${digits(r, 8)} PAIEMENT CB ${d.dd}${d.mm} ${cut(t, 13)}`;
    },
  },
  {
    name: "bourso",
    width: 17,
    kind: "card",
    make: (m, _t, r) => {
      const d = day(r);
      return `CARTE ${d.dd}/${d.mm}/${d.yy} ${cut(m, 17)} CB*${digits(r, 4)}`;
    },
  },
  {
    name: "bourso 2018",
    width: 14,
    kind: "card",
    make: (m, _t, r) => {
      const d = day(r);
      return `CARTE ${d.dd}${d.mm}20${d.yy} 75 ${cut(m, 14)} CB*${digits(r, 4)}`;
    },
  },
  {
    name: "bourso 2016",
    width: 15,
    kind: "card",
    make: (m, _t, r) => {
      const d = day(r);
      return `PAIEMENT CARTE ${d.dd}${d.mm}16 75 ${cut(m, 15)}`;
    },
  },
  {
    name: "bourso refund",
    width: 17,
    kind: "refund",
    make: (m, _t, r) => {
      const d = day(r);
      return `AVOIR ${d.dd}/${d.mm}/${d.yy} ${cut(m, 17)} CB*${digits(r, 4)}`;
    },
  },
  {
    name: "bp",
    width: 15,
    kind: "card",
    make: (m, t, r) => `${cut(m, 15)} ${pick(r, ["39", "75", "69", "13"])}${cut(t, 13)}`,
  },
  {
    name: "bp head",
    width: 15,
    kind: "card",
    make: (m, t, r) => {
      const d = day(r);
      return `${d.dd}${d.mm}${d.yy} CB****${digits(r, 4)} ${cut(m, 15)} ${
        pick(r, ["39", "75", "69", "13"])
      }${cut(t, 13)}`;
    },
  },
  {
    name: "ce",
    width: 15,
    kind: "card",
    make: (m, _t, r) => {
      const d = day(r);
      return `CB ${cut(m, 15).padEnd(15)} FACT ${d.dd}${d.mm}${d.yy}`;
    },
  },
  {
    name: "ce old",
    width: 20,
    kind: "card",
    make: (m, _t, r) => {
      const d = day(r);
      return `CARTE ${cut(m, 20).padEnd(20)}${d.dd}${d.mm}09`;
    },
  },
  {
    name: "lbp",
    width: 16,
    kind: "card",
    make: (m, _t, r) => {
      const d = day(r);
      return `ACHAT CB ${cut(m, 16)} ${d.dd}.${d.mm}.${d.yy}${
        pick(r, [" ", "", ` EUR ${digits(r, 2)},${digits(r, 2)} `])
      }CARTE ${pick(r, ["NUMERO", "NO"])} ${digits(r, 3)}`;
    },
  },
  {
    name: "lbp refund",
    width: 16,
    kind: "refund",
    make: (m, _t, r) => {
      const d = day(r);
      return `CREDIT CARTE BANCAIRE ${cut(m, 16)} ${d.dd}.${d.mm}.${d.yy} CARTE NUMERO ${
        digits(r, 3)
      }`;
    },
  },
  {
    name: "fortuneo",
    width: 22,
    kind: "card",
    make: (m, t, r) => {
      const d = day(r);
      return `CARTE ${d.dd}/${d.mm} ${cut(`${m} ${t}`, 30)}`;
    },
  },
  {
    name: "ing",
    width: 22,
    kind: "card",
    make: (m, _t, r) => {
      const d = day(r);
      return `PAIEMENT PAR CARTE ${d.dd}/${d.mm}/20${d.yy} ${cut(m, 22)}`;
    },
  },
  {
    name: "axa abroad",
    width: 12,
    kind: "card",
    make: (m, _t, r) => {
      const d = day(r);
      return `CB ER ${d.dd}/${d.mm} ${cut(m, 12)} ETRANG`;
    },
  },
  {
    name: "hsbc",
    width: 24,
    kind: "card",
    make: (m, _t, r) => {
      const d = day(r);
      return `CB ${cut(m, 24)} ${d.dd}/${d.mm}`;
    },
  },
  {
    name: "bred",
    width: 24,
    kind: "card",
    make: (m, _t, r) => {
      const d = day(r);
      return `${cut(m, 24)} Carte ${digits(r, 7)} CB.XXXXX${
        digits(r, 3)
      } LE ${d.dd}/${d.mm}/${d.yy}`;
    },
  },
  {
    name: "cdn",
    width: 24,
    kind: "card",
    make: (m, _t, r) => {
      const d = day(r);
      return `CB ${cut(m, 24)} LE ${d.dd}.${d.mm}`;
    },
  },
  {
    name: "milleis",
    width: 24,
    kind: "card",
    make: (m, _t, r) => {
      const d = day(r);
      return `${cut(m, 24)} ACHAT DU ${d.dd}/${d.mm}/${d.yy} CARTE ${digits(r, 4)}`;
    },
  },
  {
    name: "carrefour banque",
    width: 24,
    kind: "card",
    make: (m, _t, r) => {
      const d = day(r);
      return `${cut(m, 24)} ${d.dd}/${d.mm}`;
    },
  },
  {
    name: "n26",
    width: 40,
    kind: "card",
    make: (m) => m.toLowerCase().replace(/(^| )[a-z]/g, (one) => one.toUpperCase()),
  },
  {
    name: "bankin",
    width: 24,
    kind: "card",
    make: (m, t) => `Paiement Psc ${t.toLowerCase()} ${cut(m, 24).toLowerCase()}`,
  },
];
