// The worker of the bench: the real UserLedger with two methods more, so that its records and bare
// inserts run in one object, on one storage. It is never deployed. Times are taken outside: a
// Worker's own clock may stop while it computes.
import { UserLedger } from "../../src/platform/cloudflare/user-ledger.ts";
import { account, at, batch, row } from "../contract/ledger-factories.ts";

type Counted = { readonly rowsWritten: number };
type BenchEnv = { readonly LEDGER: { readonly getByName: (name: string) => BenchLedger } };

const NOW = at("2026-11-14");

export class BenchLedger extends UserLedger {
  /** What the book would project has nobody to go to here. */
  override async alarm(): Promise<void> {}

  /**
   * Records that many earned purchases in one call; counts the rows that the storage says it wrote,
   * indexes too.
   */
  async measureRecord(count: number, prefix: string, again: boolean): Promise<Counted> {
    let rowsWritten = 0;
    this.traceWrites((_query, rows) => (rowsWritten += rows));
    const accountId = again ? "acc_2" : "acc_1";
    const rows = Array.from(
      { length: count },
      (_, index) =>
        row(`${prefix}${index}`, {
          accountId,
          amountCents: 1000 + index,
          labelCipher: "c".repeat(120),
        }),
    );
    const accounts = again ? [account(), account("acc_2", { createdAtMs: NOW })] : [account()];
    const answer = await this.record(batch(rows, { accounts }), NOW);
    this.traceWrites(null);
    if (!answer.ok) throw new Error(`refused: ${answer.error.code}`);
    return { rowsWritten };
  }

  /**
   * Bare rows as large as a table row of the engine is on average (2.3 kB a purchase, in three),
   * each in a transaction of its own, as a call of an object is.
   */
  async measureBare(count: number): Promise<Counted> {
    const { sql } = this.ctx.storage;
    sql.exec("CREATE TABLE IF NOT EXISTS bare (n INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT");
    const text = "x".repeat(700);
    for (let index = 0; index < count; index++) {
      this.ctx.storage.transactionSync(() => sql.exec("INSERT INTO bare (text) VALUES (?)", text));
    }
    return { rowsWritten: count };
  }
}

// oxlint-disable-next-line import/no-default-export -- the runtime asks for it
export default {
  async fetch(request: Request, env: BenchEnv): Promise<Response> {
    const { searchParams: ask } = new URL(request.url);
    const object = env.LEDGER.getByName(ask.get("name") ?? "");
    const count = Number(ask.get("count"));
    const done = ask.get("what") === "bare"
      ? await object.measureBare(count)
      : await object.measureRecord(count, ask.get("prefix") ?? "", ask.get("again") === "1");
    return Response.json(done);
  },
};
