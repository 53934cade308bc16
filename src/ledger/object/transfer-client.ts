// The port of `transfer.ts` over objects known only by their shape: Durable Objects' stubs, or the
// Deno edition's files.
import { errorClass } from "../../kernel/log.ts";
import type { Log } from "../../kernel/log.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import type { Clock } from "../../kernel/time.ts";
import type {
  DumpedPage,
  ExpectedBook,
  LedgerTransfer,
  StagedPage,
  TransferFailure,
} from "../ports.ts";

export type TransferStub = {
  readonly dumpPage: (cursor: string | null) => PromiseLike<Result<DumpedPage, TransferFailure>>;
  readonly stagePage: (page: StagedPage) => PromiseLike<Result<null, TransferFailure>>;
  readonly closeLoad: (expected: ExpectedBook) => PromiseLike<Result<null, TransferFailure>>;
};
export type LedgerTransferStub = TransferStub & {
  readonly arm: (input: null, nowMs: number) => PromiseLike<unknown>;
};
type TransferClientParts = {
  readonly ledgers: { readonly getByName: (name: string) => LedgerTransferStub };
  readonly budgets: { readonly getByName: (name: string) => TransferStub };
  readonly clock: Clock;
  readonly log: Log;
};

export function transferClient(
  { ledgers, budgets, clock, log }: TransferClientParts,
): LedgerTransfer {
  const call = async <T>(
    ask: () => PromiseLike<Result<T, TransferFailure>>,
  ): Promise<Result<T, TransferFailure>> => {
    try {
      return await ask();
    } catch (error) {
      log.alert("transfer_call_failed", { error: errorClass(error) });
      return err({ code: "unavailable" });
    }
  };
  const stubOf = (kind: "ledger" | "budget", id: string): TransferStub =>
    (kind === "ledger" ? ledgers : budgets).getByName(id);
  return {
    dump: (kind, id, cursor) => call(() => stubOf(kind, id).dumpPage(cursor)),
    stage: (kind, id, page) => call(() => stubOf(kind, id).stagePage(page)),
    close: (kind, id, expected) => call(() => stubOf(kind, id).closeLoad(expected)),
    arm: (userId) =>
      call(async () => {
        await ledgers.getByName(userId).arm(null, clock.nowMs());
        return ok(null);
      }),
  };
}
