// Signed cursors of lists.
import { describe, it } from "vitest";
import { signedCursors } from "../../src/http/paging.ts";
import { parseKeyring } from "../../src/kernel/keyring.ts";

describe("signed cursors", () => {
  const keyring = parseKeyring(JSON.stringify({ active: "a", keys: { a: "A".repeat(43) } }));
  if (keyring === null) throw new Error("keyring");
  const cursors = signedCursors(keyring);
  const cursor = cursors.seal("purchases|usr_1", "2026-11-23|pur_1");

  it("give back the position to the list and the reader they were made for", ({ expect }) => {
    expect(cursors.open("purchases|usr_1", cursor)).toBe("2026-11-23|pur_1");
    expect(cursors.open("purchases|usr_1", cursors.seal("purchases|usr_1", ""))).toBeNull();
  });

  it("refuse another user, another list, and everything forged", ({ expect }) => {
    expect(cursors.open("purchases|usr_2", cursor)).toBeNull();
    expect(cursors.open("entries|usr_1", cursor)).toBeNull();
    const [position = "", kid = "", tag = ""] = cursor.split(".");
    const other = btoa("2026-11-24|pur_1").replaceAll("=", "");
    for (
      const forged of [
        "",
        ".",
        position,
        `${position}.`,
        `${position}.${kid}`,
        `${other}.${kid}.${tag}`,
        `${position}.b.${tag}`,
        `${position}.${kid}.${tag}x`,
        `${position}.${kid}.${tag.slice(0, -1)}`,
        ` ${cursor}`,
        `${position}=.${kid}.${tag}`,
        `_-8.${kid}.${tag}`,
        "é.a.b",
      ]
    ) {
      expect(cursors.open("purchases|usr_1", forged), forged).toBeNull();
    }
    for (let index = 0; index < cursor.length; index++) {
      const changed = cursor.slice(0, index) + (cursor[index] === "A" ? "B" : "A") +
        cursor.slice(index + 1);
      expect(cursors.open("purchases|usr_1", changed), String(index)).toBeNull();
    }
  });

  it("outlive a rotation of the key", ({ expect }) => {
    const rotated = parseKeyring(
      JSON.stringify({ active: "b", keys: { a: "A".repeat(43), b: `${"B".repeat(42)}A` } }),
    );
    expect(rotated === null ? null : signedCursors(rotated).open("purchases|usr_1", cursor)).toBe(
      "2026-11-23|pur_1",
    );
  });
});
