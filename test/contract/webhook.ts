// The aggregator's signature, the same in every runtime: whoever gets this wrong lets strangers
// earn points.
import { signedDelivery, verifySignature } from "../../src/banking/aggregators/powens/webhook.ts";
import { utf8Encode } from "../../src/kernel/encoding.ts";
import type { ContractTest } from "./ledger.ts";

const PATH = "/webhooks/powens/connection-synced";
const DATE = "2026-01-15T06:30:00.000001Z";
const PAYLOAD = '{"wording":"CAFÉ – 3,50 €"}';
const SIGNATURE = "mqx76fkbOcPciIqErjkTzuRDHvrMNFT5CZNxsQcX0DY=";

/** Registers the contract with the test runner that is there. */
export function webhookContract(test: ContractTest): void {
  const verify = async (
    change: {
      secrets?: string[];
      path?: string;
      date?: string;
      signature?: string;
      payload?: string;
    } = {},
  ): Promise<boolean> => {
    const signed = signedDelivery(
      new Headers({
        "BI-Signature-Date": change.date ?? DATE,
        "BI-Signature": change.signature ?? SIGNATURE,
      }),
    );
    return signed !== null &&
      verifySignature(
        change.secrets ?? ["shh"],
        change.path ?? PATH,
        signed,
        utf8Encode(change.payload ?? PAYLOAD),
      );
  };
  test("a webhook's signature holds for its path, date and bytes, under either secret", async ({ expect }) => {
    expect([await verify(), await verify({ secrets: ["next", "shh"] })]).toEqual([true, true]);
  });
  test("a webhook's signature holds for nothing else", async ({ expect }) => {
    expect(
      await Promise.all([
        verify({ secrets: ["shH"] }),
        verify({ secrets: [] }),
        verify({ path: `${PATH}/` }),
        verify({ date: "2026-01-15T06:30:00.000002Z" }),
        verify({ payload: `${PAYLOAD} ` }),
        verify({ signature: `A${SIGNATURE.slice(1)}` }),
        verify({ signature: "" }),
      ]),
    ).toEqual([false, false, false, false, false, false, false]);
  });
}
