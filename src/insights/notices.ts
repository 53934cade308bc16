// Sends expiry notices. It runs inside the user's ledger object, in the EU, and is the only place
// where the ledger's alarm meets an address; nothing of it is kept or logged.
import type { ContactPort, Mailer } from "../identity/ports.ts";
import type { UserId } from "../kernel/ids.ts";
import { pointsToCents } from "../kernel/money.ts";
import type { NoticeTask } from "../ledger/ports.ts";
import { noticeMail } from "./notice-mail.ts";

type NoticeDeps = {
  readonly contacts: ContactPort;
  readonly mailer: Mailer;
  readonly pointsPerEuro: number;
};

/**
 * Resolves true once the provider has taken the mail; false when it did not, or when there is
 * nobody to write to.
 */
export async function sendNotice(
  deps: NoticeDeps,
  userId: UserId,
  task: NoticeTask,
): Promise<boolean> {
  const contact = await deps.contacts.contactOf(userId);
  if (contact === null) return false;
  const sent = await deps.mailer.send({
    to: contact.email,
    ...noticeMail(task, pointsToCents(task.points, deps.pointsPerEuro), contact.locale),
  });
  return sent.ok;
}
