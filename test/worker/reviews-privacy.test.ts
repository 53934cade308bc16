import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import { openDatabase } from "../../src/db/database.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { reviewsPrivacy } from "../../src/reviews/privacy.ts";
import { reviewsStore } from "../../src/reviews/store.ts";
import { KEYRING, strictSeals } from "../support/seals.ts";

const { DB } = env as unknown as { DB: D1Database };

describe("an erasure", () => {
  it("takes the user's rows out of the queue, decided or not, and nobody else's", async ({ expect }) => {
    const insert = DB.prepare(
      "INSERT INTO reviews (purchase_id, user_id, why, state, opened_at_ms, closed_at_ms) VALUES (?, ?, 'age', ?, 1, ?)",
    );
    await DB.batch([
      insert.bind("pur_open", "usr_leaving", "open", null),
      insert.bind("pur_closed", "usr_leaving", "closed", 2),
      insert.bind("pur_other", "usr_staying", "open", null),
    ]);
    const { erase } = reviewsPrivacy(
      reviewsStore(openDatabase(DB), systemRandomBytes, strictSeals(KEYRING)),
    );
    await erase("usr_leaving");
    await erase("usr_leaving");
    const left = await DB.prepare("SELECT purchase_id FROM reviews").all();
    expect(left.results).toEqual([{ purchase_id: "pur_other" }]);
  });
});
