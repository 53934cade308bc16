// Reading import files: pure, so properties hold for any text.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { brandImportItem } from "../../../src/catalogue/brands/brand.ts";
import { BRAND_COLUMNS, OFFER_COLUMNS } from "../../../src/catalogue/import/columns.ts";
import {
  checkLines,
  csvRecords,
  IMPORT_LINES_MAX,
  inLineOrder,
  readImport,
} from "../../../src/catalogue/import/import-file.ts";

const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`;

describe("csvRecords", () => {
  it("gives back whatever cells were written, whatever they contain", () => {
    const table = fc.array(
      fc.array(fc.string({ unit: fc.constantFrom("a", "é", '"', ",", ";", "\n", "\r\n", " ") }), {
        minLength: 2,
        maxLength: 4,
      }),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(fc.property(table, fc.constantFrom("\n", "\r\n"), (rows, end) => {
      const header = ["h1", "h2"];
      const text = [header, ...rows].map((row) => row.map(quoted).join(",")).join(end);
      const read = csvRecords(text);
      expect(read.brokenLines).toEqual([]);
      expect(read.records.map((record) => record.cells)).toEqual([
        header,
        ...rows.filter((row) => row.some((cell) => cell !== "")),
      ]);
    }));
  });

  it("never throws and always ends", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", '"', ",", ";", "\n", "\r") }), (text) => {
        csvRecords(text);
      }),
    );
  });

  it("numbers records by the line they start on, over quoted line ends", () => {
    const read = csvRecords('a,b\n"x\ny",1\nz,2\n');
    expect(read.records.map((record) => record.line)).toEqual([1, 2, 4]);
  });

  it.each(['a,b\n"x,1', 'a\nx"y', 'a\n"x"y'])(
    "gives the line of a quote out of place in %j",
    (text) => {
      expect(csvRecords(text).brokenLines).toEqual([2]);
    },
  );

  it("goes on behind a line that is broken, with the right numbers", () => {
    expect(csvRecords('a,b\n1,x"y\n2,3\n"q"r,s\n4,5')).toEqual({
      brokenLines: [2, 4],
      records: [{ line: 1, cells: ["a", "b"] }, { line: 3, cells: ["2", "3"] }, {
        line: 5,
        cells: ["4", "5"],
      }],
    });
  });
});

describe("readImport", () => {
  it("takes semicolons when the header has them, and leaves empty cells out", () => {
    const read = readImport(
      "name;category;aliases;website\nA;b, c;x | y|;\n",
      "csv",
      "brands",
      BRAND_COLUMNS,
    );
    expect(read).toEqual({
      errors: [],
      lines: [{
        line: 2,
        pointer: "#line/2",
        value: { name: "A", category: "b, c", aliases: ["x", "y"] },
      }],
    });
  });

  it("makes an offer of flat columns", () => {
    const read = readImport(
      "brand,title_fr,title_en,kind,rate_bp,first_purchase_only,tiers\nA,f,e,percent,300,true,0:1|5:x\n",
      "csv",
      "offers",
      OFFER_COLUMNS,
    );
    expect(read.lines[0]?.value).toEqual({
      brand: "A",
      title: { fr: "f", en: "e" },
      version: {
        kind: "percent",
        rate_bp: 300,
        first_purchase_only: true,
        tiers: [{ from_cents: 0, rate_bp: 1 }, { from_cents: 5, rate_bp: "x" }],
      },
    });
  });

  it("skips blank lines and keeps the numbers of the others", () => {
    const read = readImport('\n{"a":1}\n\n{"a":2}\n', "ndjson", "brands", BRAND_COLUMNS);
    expect(read.lines.map((item) => item.line)).toEqual([2, 4]);
  });

  it("refuses more lines than it can take", () => {
    const read = readImport("{}\n".repeat(IMPORT_LINES_MAX + 1), "ndjson", "brands", BRAND_COLUMNS);
    expect([read.lines.length, read.errors.map((item) => item.code)]).toEqual([0, [
      "too_many_lines",
    ]]);
  });

  it.each(["__proto__", "constructor", "toString"])("knows no column %s", (name) => {
    const read = readImport(`name,${name}\na,b`, "csv", "brands", BRAND_COLUMNS);
    expect(read.errors.map((item) => [item.pointer, item.code, item.line])).toEqual([[
      `#line/1/${name.toLowerCase()}`,
      "column_unknown",
      1,
    ]]);
    expect(read.lines).toEqual([{ line: 2, pointer: "#line/2", value: { name: "a" } }]);
  });

  it("names each line with a broken accent, and reads the others", () => {
    const codes = (text: string, format: "json" | "ndjson" | "csv") =>
      readImport(text, format, "brands", BRAND_COLUMNS).errors.map((
        item,
      ) => [item.pointer, item.code, item.line]);
    expect(codes('{"name":"\uFFFD"}\n{"name":"é"}\n{"\uFFFD', "ndjson")).toEqual([
      ["#line/1", "not_utf8", 1],
      ["#line/3", "not_utf8", 3],
      ["#line/3", "malformed_json", 3],
    ]);
    expect(codes("name\nOka\uFFFDdi\nb\n\uFFFD", "csv")).toEqual([["#line/2", "not_utf8", 2], [
      "#line/4",
      "not_utf8",
      4,
    ]]);
    expect(codes('{"brands":[{"name":"a"},{"name":"\uFFFD"}]}', "json")).toEqual([[
      "/brands/1",
      "not_utf8",
      2,
    ]]);
  });

  it("gives up on a CSV whose first line is broken", () => {
    expect(readImport('na"me\na\nb', "csv", "brands", BRAND_COLUMNS)).toMatchObject({
      lines: [],
      errors: [{ pointer: "#line/1", code: "malformed_csv" }],
    });
  });

  it("knows one member of a JSON file only", () => {
    expect(readImport('{"brands":[1],"offers":[]}', "json", "brands", BRAND_COLUMNS)).toMatchObject(
      { lines: [{ line: 1 }], errors: [{ pointer: "/offers", code: "unknown_field" }] },
    );
  });
});

const raw = (values: readonly unknown[]) => ({
  lines: values.map((value, index) => ({ line: index + 1, pointer: `#line/${index + 1}`, value })),
  errors: [],
});

describe("checkLines", () => {
  it("names every bad field of every line, and keeps what is sound", () => {
    const bad = { name: "", category: "x", aliases: ["ok", ""], "a/b": 1 };
    const checked = checkLines(
      raw([bad, { name: "n", category: "c", aliases: ["a"] }, 7]),
      brandImportItem,
    );
    expect(checked.errors.map((item) => [item.pointer, item.code, item.line])).toEqual([
      ["#line/1/name", "too_small", 1],
      ["#line/1/aliases/1", "too_small", 1],
      ["#line/1/a~1b", "unknown_field", 1],
      ["#line/3", "invalid_type", 3],
    ]);
    expect(checked.lines.map(({ item, sound }) => [item === null, sound])).toEqual([
      [true, { category: "x" }],
      [false, { name: "n", category: "c", aliases: ["a"] }],
      [true, {}],
    ]);
    expect(checked.lines.map(({ refused }) => [refused.has("name"), refused.has("website")]))
      .toEqual([[true, false], [false, false], [true, true]]);
  });

  it("keeps what was wrong before", () => {
    const before = {
      pointer: "#line/9",
      code: "malformed_json",
      detail: { fr: "a", en: "b" },
      line: 9,
    };
    expect(checkLines({ lines: [], errors: [before] }, brandImportItem).errors).toEqual([before]);
  });
});

describe("inLineOrder", () => {
  it("puts the file first, then line by line, and stops at a thousand", () => {
    const error = (line?: number) => ({
      pointer: "",
      code: "c",
      detail: { fr: "a", en: "b" },
      ...(line === undefined ? {} : { line }),
    });
    expect(inLineOrder([error(3), error(1), error(), error(2)]).map((item) => item.line)).toEqual([
      undefined,
      1,
      2,
      3,
    ]);
    expect(
      inLineOrder(Array.from({ length: 2_000 }, (_, line) => error(2_000 - line))).map((item) =>
        item.line
      ),
    ).toEqual(Array.from({ length: 1_000 }, (_, line) => line + 1));
  });
});
