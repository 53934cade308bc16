// Whether the aggregator has ever made a user for us.
import { isNotNull } from "drizzle-orm";
import { aggregatorLinks } from "../../db/banking-tables.ts";
import type { Database } from "../../db/database.ts";

export function remoteUserReads(db: Database) {
  return {
    /** True as soon as one user was made there, also when that user has left since. */
    async hasRemoteUser(): Promise<boolean> {
      const found = await db.select({ id: aggregatorLinks.id }).from(aggregatorLinks).where(
        isNotNull(aggregatorLinks.remoteUserId),
      ).limit(1);
      return found.length === 1;
    },
  };
}
