// Who may approve: another person, and only one whom the roles name.
import { describe, expect, it } from "vitest";
import { mayBeSamePerson, refusesApproval } from "../../../src/http/second-person.ts";

const by = (operator: string, listedPerson = true) => ({ operator, listedPerson });

describe("refusesApproval()", () => {
  it("lets another listed person approve, also what a service asked for", () => {
    expect(refusesApproval("alice@cagnotte.fr", by("bob@cagnotte.fr"))).toBeNull();
    expect(refusesApproval("service:bob", by("bob@cagnotte.fr"))).toBeNull();
  });

  it("refuses who asked, under another domain too", () => {
    const refused = { code: "second_person_required" };
    expect(refusesApproval("alice@cagnotte.fr", by("alice@cagnotte.fr"))).toEqual(refused);
    expect(refusesApproval("alice@cagnotte.fr", by("alice@cabinet.fr"))).toEqual(refused);
    expect(refusesApproval("alice@cagnotte.fr", by("alice@cabinet.fr", false))).toEqual(refused);
  });

  it("refuses service tokens and members of a domain", () => {
    const refused = { code: "listed_person_required" };
    expect(refusesApproval("alice@cagnotte.fr", by("eve@cagnotte.fr", false))).toEqual(refused);
    expect(refusesApproval("alice@cagnotte.fr", by("service:ci", false))).toEqual(refused);
  });
});

describe("mayBeSamePerson()", () => {
  it("compares what comes before the last @", () => {
    expect(mayBeSamePerson("a@x.fr", "a@y.fr")).toBe(true);
    expect(mayBeSamePerson("a@x.fr", "b@x.fr")).toBe(false);
    expect(mayBeSamePerson("alice", "alice")).toBe(true);
    expect(mayBeSamePerson("alice", "bob")).toBe(false);
  });
});
