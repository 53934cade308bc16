// The EU guard: every way in which a setting can be lost must stop the object, none may open one
// elsewhere.
import { describe, it } from "vitest";
import {
  inJurisdiction,
  requireJurisdiction,
} from "../../../src/platform/cloudflare/jurisdiction.ts";

describe("requireJurisdiction", () => {
  it("lets production's objects in the EU start", ({ expect }) => {
    expect(() =>
      requireJurisdiction({ ENVIRONMENT: "production", JURISDICTION: "eu" }, { jurisdiction: "eu" })
    ).not.toThrow();
  });

  it("stops an object that is elsewhere or that does not say", ({ expect }) => {
    for (
      const id of [{}, { jurisdiction: undefined }, { jurisdiction: "us" }, { jurisdiction: "" }, {
        jurisdiction: "EU",
      }]
    ) {
      expect(() => requireJurisdiction({ ENVIRONMENT: "production", JURISDICTION: "eu" }, id))
        .toThrow("not in the configured jurisdiction");
      expect(() => requireJurisdiction({ ENVIRONMENT: "local", JURISDICTION: "eu" }, id)).toThrow(
        "not in the configured jurisdiction",
      );
    }
  });

  it("stops production without the setting, even for an object in the EU", ({ expect }) => {
    for (const jurisdiction of [undefined, "", "us", null, 1]) {
      expect(() =>
        requireJurisdiction({ ENVIRONMENT: "production", JURISDICTION: jurisdiction }, {
          jurisdiction: "eu",
        })
      ).toThrow("must be eu");
    }
  });

  it("takes a missing or unknown environment for production", ({ expect }) => {
    for (const environment of [undefined, "", "LOCAL", "staging", null]) {
      expect(() => requireJurisdiction({ ENVIRONMENT: environment }, {})).toThrow("must be eu");
      expect(() =>
        requireJurisdiction({ ENVIRONMENT: environment, JURISDICTION: "" }, { jurisdiction: "eu" })
      ).toThrow("must be eu");
    }
    expect(() => requireJurisdiction({}, {})).toThrow("must be eu");
  });

  it("lets the local system run, whose runtime knows no jurisdiction", ({ expect }) => {
    expect(() => requireJurisdiction({ ENVIRONMENT: "local", JURISDICTION: "" }, {})).not.toThrow();
    expect(() => requireJurisdiction({ ENVIRONMENT: "local" }, {})).not.toThrow();
  });
});

describe("inJurisdiction", () => {
  type Namespace = { readonly name: string; readonly jurisdiction: (name: "eu") => Namespace };
  const plain: Namespace = {
    name: "plain",
    jurisdiction: (name) => ({ name, jurisdiction: () => plain }),
  };

  it("restricts the namespace whenever a jurisdiction is configured", ({ expect }) => {
    expect(inJurisdiction(plain, "eu").name).toBe("eu");
    expect(inJurisdiction(plain, null)).toBe(plain);
  });

  it("does not fall back to the plain namespace when the platform refuses", ({ expect }) => {
    const refusing: Namespace = {
      name: "plain",
      jurisdiction: () => {
        throw new Error("not implemented");
      },
    };
    expect(() => inJurisdiction(refusing, "eu")).toThrow("not implemented");
  });
});
