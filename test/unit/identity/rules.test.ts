import * as fc from "fast-check";
import { describe, it } from "vitest";
import { deviceKeyOf, newChallenge } from "../../../src/identity/challenge.ts";
import {
  codeMatches,
  codeTag,
  isCode,
  newCode,
  newLongCode,
  normaliseCode,
} from "../../../src/identity/code.ts";
import { completeConsents, CONSENT_PURPOSES } from "../../../src/identity/consent.ts";
import { consentText, currentVersion } from "../../../src/identity/consent-texts.ts";
import {
  EMAIL_PATTERN,
  emailIndex,
  emailIndexes,
  normaliseEmail,
} from "../../../src/identity/email.ts";
import { deviceKind } from "../../../src/identity/device.ts";
import { codeMail } from "../../../src/identity/mail.ts";
import {
  birthDateProblem,
  hasReached,
  isName,
  normaliseName,
} from "../../../src/identity/profile.ts";
import { newRefreshToken, sessionOfRefreshToken } from "../../../src/identity/refresh-token.ts";
import { openUndoToken, undoToken } from "../../../src/identity/undo-token.ts";
import { sha256Hex } from "../../../src/kernel/hash.ts";
import { newId } from "../../../src/kernel/ids.ts";
import type { Keyring } from "../../../src/kernel/keyring.ts";
import type { RandomBytes } from "../../../src/kernel/random.ts";
import { systemRandomBytes } from "../../../src/kernel/random.ts";

const ring = (...kids: [string, ...string[]]): Keyring => ({
  active: kids[0],
  keys: new Map(kids.map((kid) => [kid, systemRandomBytes(32)])),
});

/** A source that returns these 32-bit numbers in order, and fails when asked for more. */
function scripted(...draws: number[]): RandomBytes {
  const left = [...draws];
  return (length) => {
    const next = left.shift();
    if (length !== 4 || next === undefined) throw new Error("more random bytes than scripted");
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, next);
    return bytes;
  };
}

describe("newCode()", () => {
  it("throws away the draws that would make low codes likelier", ({ expect }) => {
    expect(newCode(scripted(4_293_999_999))).toBe("999999");
    expect(newCode(scripted(4_294_000_000, 4_294_967_295, 7))).toBe("000007");
    expect(newCode(scripted(0))).toBe("000000");
  });

  it("spreads evenly: every leading and every last digit comes a tenth of the time", ({ expect }) => {
    const draws = 50_000;
    const [leading, last] = [new Map<string, number>(), new Map<string, number>()];
    for (let index = 0; index < draws; index++) {
      const code = newCode(systemRandomBytes);
      leading.set(code.charAt(0), (leading.get(code.charAt(0)) ?? 0) + 1);
      last.set(code.charAt(5), (last.get(code.charAt(5)) ?? 0) + 1);
    }
    // Chi-squared with 9 degrees of freedom exceeds 45 once in a million runs.
    for (const counts of [leading, last]) {
      const chi = [...counts.values()].reduce(
        (sum, count) => sum + (count - draws / 10) ** 2 / (draws / 10),
        0,
      );
      expect(counts.size).toBe(10);
      expect(chi).toBeLessThan(45);
    }
  });
});

describe("codeTag()", () => {
  const binding = {
    id: "cod_1",
    purpose: "step_up",
    addressIndex: "k.a",
    deviceKey: "ses_1",
  } as const;

  it("binds the code to id, purpose, address and device", ({ expect }) => {
    const keys = ring("k1");
    const tag = codeTag(keys, binding, "123456");
    expect(codeMatches(keys, binding, "123456", tag)).toBe(true);
    for (
      const other of [
        { ...binding, id: "cod_2" },
        { ...binding, purpose: "sign_in" as const },
        { ...binding, addressIndex: "k.b" },
        { ...binding, deviceKey: "ses_2" },
      ]
    ) {
      expect(codeMatches(keys, other, "123456", tag)).toBe(false);
    }
    expect(codeMatches(keys, binding, "123457", tag)).toBe(false);
    expect(codeMatches(ring("k1"), binding, "123456", tag)).toBe(false);
  });

  it("still matches after the active key changed", ({ expect }) => {
    const keys = ring("k1", "k2");
    const tag = codeTag(keys, binding, "123456");
    expect(codeMatches({ active: "k2", keys: keys.keys }, binding, "123456", tag)).toBe(true);
  });
});

describe("ten characters", () => {
  it("are drawn when asked for, and read as people type them", ({ expect }) => {
    const code = newLongCode(systemRandomBytes);
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{10}$/);
    expect(newLongCode(systemRandomBytes)).not.toBe(code);
    expect(normaliseCode(" 0o1i lab cde ")).toBe("00111ABCDE");
    expect(isCode(normaliseCode("oil0123456"))).toBe(true);
    for (const wrong of ["12345", "1234567", "ABCDEFGHU0", "ABCDEFGH", ""]) {
      expect(isCode(wrong), wrong).toBe(false);
    }
  });
});

describe("challenges", () => {
  const email = "camille@example.org";

  it("belong to one address, whatever its spelling, and to one device", ({ expect }) => {
    const keys = ring("k1");
    const challenge = newChallenge(keys, email, systemRandomBytes);
    const key = deviceKeyOf(keys, email, challenge);
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    expect(deviceKeyOf(keys, " Camille@EXAMPLE.org", challenge)).toBe(key);
    expect(deviceKeyOf(keys, "camille@example.com", challenge)).toBeNull();
    expect(deviceKeyOf(ring("k1"), email, challenge)).toBeNull();
    expect(deviceKeyOf(keys, email, newChallenge(keys, email, systemRandomBytes))).not.toBe(key);
    for (const forged of ["", ".", "a", `x${challenge}`, `${challenge}x`, "x".repeat(300)]) {
      expect(deviceKeyOf(keys, email, forged), forged).toBeNull();
    }
  });

  it("stay the same device after the active key changed", ({ expect }) => {
    const keys = ring("k1", "k2");
    const challenge = newChallenge(keys, email, systemRandomBytes);
    expect(deviceKeyOf({ active: "k2", keys: keys.keys }, email, challenge)).toBe(
      deviceKeyOf(keys, email, challenge),
    );
  });
});

describe("undo tokens", () => {
  const session = { kind: "session", id: newId("ses", 1, systemRandomBytes) } as const;

  it("name what they undo until they end, and are ours", ({ expect }) => {
    const keys = ring("k1", "k2");
    const token = undoToken(keys, session, 1_000);
    expect(openUndoToken(keys, token, 999)).toEqual(session);
    expect(openUndoToken({ active: "k2", keys: keys.keys }, token, 999)).toEqual(session);
    expect(openUndoToken(keys, token, 1_000)).toBeNull();
    expect(openUndoToken(ring("k1"), token, 0)).toBeNull();
    const later = undoToken(keys, session, 9_999).split(".")[0] ?? "";
    for (const forged of [`${later}.${token.split(".").slice(1).join(".")}`, "", "a.b.c"]) {
      expect(openUndoToken(keys, forged, 0), forged).toBeNull();
    }
  });
});

describe("deviceKind()", () => {
  it("says one of a few kinds, never a text of the caller", ({ expect }) => {
    for (
      const [agent, kind] of [
        ["Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X)", "iphone"],
        ["Mozilla/5.0 (Linux; Android 16; Pixel 10)", "android"],
        ["Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "windows"],
        ["Cagnotte/12 CFNetwork/3826 Darwin/25.0.0", "apple"],
        ["Mozilla/5.0 (X11; Linux x86_64)", "linux"],
        ["Your account is blocked, call 0800 123", "unknown"],
        [undefined, "unknown"],
      ] as const
    ) expect(deviceKind(agent)).toBe(kind);
  });
});

describe("e-mail addresses", () => {
  it("have one spelling, and normalising twice changes nothing", ({ expect }) => {
    expect(normaliseEmail("  Zoe\u0301@Example.ORG\n")).toBe("zoé@example.org");
    fc.assert(
      fc.property(
        fc.emailAddress(),
        (text) => normaliseEmail(normaliseEmail(` ${text.toUpperCase()}`)) === normaliseEmail(text),
      ),
    );
  });

  it("have the ASCII form of a Unicode domain, whichever way it is typed", ({ expect }) => {
    const keys = ring("k1");
    for (
      const [typed, stored] of [
        ["zoe@exämple.org", "zoe@xn--exmple-cua.org"],
        ["Zoe@EXA\u0308MPLE.org", "zoe@xn--exmple-cua.org"],
        ["ivan@пример.рф", "ivan@xn--e1afmkfd.xn--p1ai"],
        ["li@例え。テスト", "li@xn--r8jz45g.xn--zckzah"],
        ["info@straße.de", "info@xn--strae-oqa.de"],
        ["a@b-c.example", "a@b-c.example"],
      ] as const
    ) {
      expect(normaliseEmail(typed)).toBe(stored);
      expect(normaliseEmail(stored)).toBe(stored);
      expect(EMAIL_PATTERN.test(stored)).toBe(true);
      expect(emailIndex(keys, typed)).toBe(emailIndex(keys, stored));
    }
  });

  it("are refused when the domain is none, or would be read as another", ({ expect }) => {
    for (
      const typed of [
        "a@é%2ecom",
        "a@é:80",
        "a@é/x.org",
        "a@é@b.org\u00e9",
        "a@１２７.１",
        "a@xn--a\u00e9-.org",
        "a@127.0.0.1",
        "a@[é]",
        "a@é",
        "a@-x.org",
        "é@b.org",
        "a@b\u202ec.org",
        "a@b\u200dc.org",
        "a@ex\u0430\u0000mple.org",
        "@b.org",
        "b.org",
      ]
    ) {
      expect([typed, EMAIL_PATTERN.test(normaliseEmail(typed))]).toEqual([typed, false]);
    }
  });

  it("never change when normalised again, whatever the text", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }),
        fc.string({ unit: "grapheme" }),
        (local, domain) => {
          const once = normaliseEmail(`${local}@${domain}`);
          return normaliseEmail(once) === once;
        },
      ),
    );
  });

  it("keep dots and plus tags apart, which may be other people's mailboxes", ({ expect }) => {
    const keys = ring("k1");
    const indexes = ["ab@c.fr", "a.b@c.fr", "ab+x@c.fr"].map((email) => emailIndex(keys, email));
    expect(new Set(indexes).size).toBe(3);
  });

  it("are looked up under every key, active first, and never readable in the index", ({ expect }) => {
    const keys = ring("new", "old");
    const indexes = emailIndexes(keys, "camille@c.fr");
    expect(indexes[0]).toBe(emailIndex(keys, "Camille@c.fr"));
    expect(indexes.map((index) => index.split(".")[0])).toEqual(["new", "old"]);
    expect(indexes.join()).not.toContain("camille");
  });
});

describe("refresh tokens", () => {
  it("name their session, and any altered character makes them nobody's", ({ expect }) => {
    const keys = ring("k1");
    const sessionId = newId("ses", 1_800_000_000_000, systemRandomBytes);
    const token = newRefreshToken(keys, sessionId, systemRandomBytes);
    expect(sessionOfRefreshToken(keys, token)).toBe(sessionId);
    fc.assert(
      fc.property(
        fc.nat(token.length - 1),
        fc.constantFrom(..."ABCxyz019-_.=".split("")),
        (at, character) => {
          const altered = token.slice(0, at) + character + token.slice(at + 1);
          return altered === token || sessionOfRefreshToken(keys, altered) === null;
        },
      ),
    );
    expect(sessionOfRefreshToken(ring("k1"), token)).toBeNull();
  });

  it("are refused without throwing, whatever the text", ({ expect }) => {
    const keys = ring("k1");
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }),
        (text) => sessionOfRefreshToken(keys, text) === null,
      ),
    );
    expect(sessionOfRefreshToken(keys, "")).toBeNull();
  });

  it("never repeat", ({ expect }) => {
    const sessionId = newId("ses", 0, systemRandomBytes);
    const keys = ring("k1");
    expect(
      new Set(
        Array.from({ length: 100 }, () => newRefreshToken(keys, sessionId, systemRandomBytes)),
      ).size,
    ).toBe(100);
  });
});

describe("profile rules", () => {
  const nowMs = Date.UTC(2026, 10, 23, 22, 59);

  it("take a birth date in the past of somebody who can be alive, by the Paris calendar", ({ expect }) => {
    const problemsOf = (...dates: string[]) => dates.map((date) => birthDateProblem(date, nowMs));
    expect(problemsOf("2026-11-22", "1906-11-23", "2024-02-29")).toEqual([null, null, null]);
    expect(problemsOf("2026-11-23", "2026-11-24")).toEqual(["date_in_future", "date_in_future"]);
    expect(problemsOf("1905-11-22")).toEqual(["date_too_old"]);
    expect(problemsOf("2025-02-29", "1990-1-1", "", "0000-00-00")).toEqual(
      Array.from({ length: 4 }, () => "date_invalid"),
    );
    // 23:00 UTC is the next day in Paris.
    expect(birthDateProblem("2026-11-23", Date.UTC(2026, 10, 23, 23, 0))).toBeNull();
  });

  it("count an age from the birthday", ({ expect }) => {
    expect([hasReached("2008-11-23", 18, nowMs), hasReached("2008-11-24", 18, nowMs)]).toEqual([
      true,
      false,
    ]);
  });

  it("take names as people write them and refuse what disguises text", ({ expect }) => {
    expect(["Zoé", "N'Guyen-Łukasz", "李", "D’Arc de la Tour", "x".repeat(100)].map(isName))
      .toEqual([true, true, true, true, true]);
    expect(["", "  ", "a\nb", "a\u202eb", "a\u200bb", "a\u2028b", "x".repeat(101)].map(isName))
      .toEqual(Array.from({ length: 7 }, () => false));
    expect(normaliseName("  Zoe\u0301 ")).toBe("Zoé");
  });
});

describe("completeConsents()", () => {
  it("fills in what was never decided, in the order of the API", ({ expect }) => {
    const decided = {
      purpose: "bank_data",
      granted: true,
      textVersion: "v1",
      atMs: 1,
      grantedSinceMs: 1,
    } as const;
    const all = completeConsents([decided]);
    expect(all.map((consent) => consent.purpose)).toEqual([
      "terms",
      "bank_data",
      "recommendations",
      "statistics",
      "marketing",
    ]);
    expect(all[1]).toBe(decided);
    expect(all.filter((consent) => consent.granted).length).toBe(1);
  });
});

describe("consentText()", () => {
  // What people agreed to must be read years later as they read it: a published text is never
  // edited, another wording is another version.
  it("never changes what was published", ({ expect }) => {
    const published = CONSENT_PURPOSES.flatMap((purpose) =>
      (["fr", "en"] as const).map((locale) => {
        const { title = "", body = "" } = consentText(purpose, "1", locale) ?? {};
        return `${purpose} 1 ${locale} ${sha256Hex(`${title}\n${body}`).slice(0, 16)}`;
      })
    );
    expect(published).toEqual([
      "terms 1 fr d36ecccb9e7d1fe0",
      "terms 1 en 9fe978558d6ef0c0",
      "bank_data 1 fr 91a9a85481f3ed1b",
      "bank_data 1 en 0bd7ca3aa455f85e",
      "recommendations 1 fr d9c1ea8f6fc83f0b",
      "recommendations 1 en 5f023f73ec2f7228",
      "statistics 1 fr 0fd65baa9c92f77a",
      "statistics 1 en c3c36a843bb8d45b",
      "marketing 1 fr 4301c9268bef1604",
      "marketing 1 en e0c3d24f20a9887a",
    ]);
  });

  it("gives the current version unless another is named, and null for one that never was", ({ expect }) => {
    expect(consentText("terms", null, "fr")).toEqual(consentText("terms", "1", "fr"));
    expect(currentVersion("terms")).toBe("1");
    expect(consentText("terms", "2026-11", "fr")).toBeNull();
  });
});

describe("codeMail()", () => {
  it("puts the code alone on a line, the same in text and HTML, and carries no link", ({ expect }) => {
    for (const purpose of ["sign_in", "step_up"] as const) {
      for (const locale of ["fr", "en"] as const) {
        const mail = codeMail(purpose, locale, "042137", {
          device: "iphone",
          atMs: Date.UTC(2026, 10, 27, 8, 5),
        });
        expect(mail.text).toContain("iPhone");
        expect(mail.text).toMatch(/27 [nN]ovemb/);
        expect(mail.text).toContain("09:05");
        expect(mail.text.split("\n").filter((line) => line === "042137")).toEqual(["042137"]);
        expect(mail.html).toContain("<strong>042137</strong>");
        expect(mail.text + mail.html).not.toMatch(/https?:|href|www\./);
        expect(mail.subject).not.toContain("042137");
      }
    }
  });
});
