// Reading import files: pure, so properties hold for any text.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { brandImportItem } from "../../src/catalogue/brand.ts";
import { BRAND_COLUMNS, IMPORT_LINES_MAX, OFFER_COLUMNS, checkLines, csvRecords, readImport } from "../../src/catalogue/import-file.ts";

const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`;

describe("csvRecords", () => {
  it("gives back whatever cells were written, whatever they contain", () => {
    const table = fc.array(fc.array(fc.string({ unit: fc.constantFrom("a", "é", '"', ",", ";", "\n", "\r\n", " ") }), { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 6 });
    fc.assert(fc.property(table, fc.constantFrom("\n", "\r\n"), (rows, end) => {
      const header = ["h1", "h2"];
      const text = [header, ...rows].map((row) => row.map(quoted).join(",")).join(end);
      const read = csvRecords(text);
      expect(read.ok && read.value.map((record) => record.cells)).toEqual([header, ...rows.filter((row) => row.some((cell) => cell !== ""))]);
    }));
  });

  it("never throws and always ends", () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom("a", '"', ",", ";", "\n", "\r") }), (text) => {
      csvRecords(text);
    }));
  });

  it("numbers records by the line they start on, over quoted line ends", () => {
    const read = csvRecords('a,b\n"x\ny",1\nz,2\n');
    expect(read.ok && read.value.map((record) => record.line)).toEqual([1, 2, 4]);
  });

  it.each(['a,b\n"x,1', 'a\nx"y', 'a\n"x"y'])("tells the line of a quote out of place in %j", (text) => {
    expect(csvRecords(text)).toEqual({ ok: false, error: 2 });
  });
});

describe("readImport", () => {
  it("takes semicolons when the header has them, and leaves empty cells out", () => {
    const read = readImport("name;category;aliases;website\nA;b, c;x | y|;\n", "csv", "brands", BRAND_COLUMNS);
    expect(read.ok && read.value).toEqual([{ line: 2, pointer: "#line/2", value: { name: "A", category: "b, c", aliases: ["x", "y"] } }]);
  });

  it("makes an offer of flat columns", () => {
    const read = readImport("brand,title_fr,title_en,kind,rate_bp,first_purchase_only,tiers\nA,f,e,percent,300,true,0:1|5:x\n", "csv", "offers", OFFER_COLUMNS);
    expect(read.ok && read.value[0]?.value).toEqual({
      brand: "A", title: { fr: "f", en: "e" }, version: { kind: "percent", rate_bp: 300, first_purchase_only: true, tiers: [{ from_cents: 0, rate_bp: 1 }, { from_cents: 5, rate_bp: "x" }] },
    });
  });

  it("skips blank lines and keeps the numbers of the others", () => {
    const read = readImport('\n{"a":1}\n\n{"a":2}\n', "ndjson", "brands", BRAND_COLUMNS);
    expect(read.ok && read.value.map((item) => item.line)).toEqual([2, 4]);
  });

  it("refuses more lines than it can take", () => {
    const read = readImport("{}\n".repeat(IMPORT_LINES_MAX + 1), "ndjson", "brands", BRAND_COLUMNS);
    expect(!read.ok && read.error[0]?.code).toBe("too_many_lines");
  });

  it.each(["__proto__", "constructor", "toString"])("knows no column %s", (name) => {
    expect(readImport(`name,${name}\na,b`, "csv", "brands", BRAND_COLUMNS).ok).toBe(false);
  });
});

describe("checkLines", () => {
  it("names every bad field of every line", () => {
    const lines = [1, 2].map((line) => ({ line, pointer: `#line/${line}`, value: { name: "", aliases: ["ok", ""], "a/b": 1 } }));
    const checked = checkLines(lines, brandImportItem);
    expect(!checked.ok && checked.error.map((item) => item.pointer)).toEqual(
      [1, 2].flatMap((line) => [`#line/${line}/name`, `#line/${line}/category`, `#line/${line}/aliases/1`, `#line/${line}/a/b`]));
  });

  it("complains at most a thousand times", () => {
    const lines = Array.from({ length: 2_000 }, (_, line) => ({ line, pointer: `#line/${line}`, value: 1 }));
    const checked = checkLines(lines, brandImportItem);
    expect(!checked.ok && checked.error.length).toBe(1_000);
  });
});
