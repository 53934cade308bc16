// Text from outside, made fit to be stored and shown.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cutText, plainText } from "../../../src/kernel/plain-text.ts";

describe("entities", () => {
  it.each([
    ["H&amp;M", "H&M"],
    ["H&AMP;M", "H&M"],
    ["L&APOS;OCCITANE", "L'OCCITANE"],
    ["L&apos;OCCITANE", "L'OCCITANE"],
    ["L&#39;OCCITANE", "L'OCCITANE"],
    ["L&#x27;OCCITANE", "L'OCCITANE"],
    ["L&#X2019;OCCITANE", "L’OCCITANE"],
    ["L&#146;OCCITANE", "L’OCCITANE"],
    ["CAF&Eacute;", "CAFÉ"],
    ["CAF&EACUTE;", "CAFÉ"],
    ["caf&eacute;", "café"],
    ["5 &euro;", "5 €"],
    ["&quot;A&quot; &lt;B&gt;", '"A" <B>'],
    ["&#128512;", "😀"],
  ])("%s is %s", (text, plain) => {
    expect(plainText(text)).toBe(plain);
  });
  it.each([["&amp;amp;", "&amp;"], ["&amp;#39;", "&#39;"], ["&#38;eacute;", "&eacute;"]])(
    "%s is undone once",
    (text, plain) => {
      expect(plainText(text)).toBe(plain);
    },
  );
  it.each(["AT&T", "A & B", "A&B;", "&inconnu;", "&#;", "&#x;", "&amp"])("%s stays", (text) => {
    expect(plainText(text)).toBe(text);
  });
  it.each(["&#0;", "&#x0;", "&#8238;", "&#xD83D;", "&#1114112;", "&#xFFFE;", "&#129;"])(
    "%s brings nothing in that may not come in by itself",
    (text) => {
      expect(plainText(`A${text}B`)).toBe("AB");
    },
  );
});

describe("what no client may get", () => {
  it("is taken out, line ends become blanks", () => {
    expect(plainText("A\u0000B\u202eC\u2066D\u2069E\u200fF\u061cG\u0007H")).toBe("ABCDEFGH");
    expect(plainText("A\tB\r\nC\u2028D")).toBe("A B  C D");
    expect(plainText("A\ud83dB\ude00C😀")).toBe("ABC😀");
  });
  const wild = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 }).map((codes) =>
      String.fromCharCode(...codes)
    ),
    fc.array(
      fc.constantFrom("&", "#", "x", ";", "amp", "0", "8238", "D83D", "é", "e\u0301", "😀", "A"),
      { maxLength: 60 },
    ).map((parts) => parts.join("")),
  );
  it("is in no text that went through", () => {
    fc.assert(
      fc.property(wild, (text) => {
        const plain = plainText(text);
        expect(plain.isWellFormed()).toBe(true);
        expect(plain).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
      }),
      { numRuns: 2000 },
    );
  });
  it("plain text without entities stays as it is", () => {
    fc.assert(fc.property(wild, (text) => {
      const plain = plainText(text).replaceAll("&", "");
      expect(plainText(plain)).toBe(plain);
    }));
  });
  it("a cut is a beginning of whole characters, as long as fits", () => {
    const segmenter = new Intl.Segmenter("fr", { granularity: "grapheme" });
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", maxLength: 40 }),
        fc.integer({ min: 4, max: 40 }),
        (text, max) => {
          const whole = [...segmenter.segment(text)];
          fc.pre(whole.every(({ segment }) => segment.length <= max));
          let expected = "";
          for (const { segment } of whole) {
            if (expected.length + segment.length > max) break;
            expected += segment;
          }
          expect(cutText(text, max)).toBe(expected);
        },
      ),
      { numRuns: 1000 },
    );
  });
  it("a character longer than the cut is cut between code points", () => {
    expect(cutText(`e${"\u0301".repeat(50)}`, 10)).toBe(`e${"\u0301".repeat(9)}`);
    expect(cutText("👩‍👩‍👧", 4)).toBe("👩‍");
  });
});
