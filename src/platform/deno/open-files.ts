// Which users' files are open. There is one handle per file and every use is synchronous, so there
// is one writer per user and nothing can come between the reads and the writes of a call. The files
// used longest ago are closed first.
import { assert } from "../../kernel/assert.ts";

/**
 * Each open book takes three descriptors (file, log, shared memory); the usual limit of a process
 * is 1024.
 */
export const OPEN_FILES_MAX = 200;

export type OpenFiles<T> = {
  /**
   * Runs `work` on the file of that name, opening it if needed. `work` must not return a promise:
   * another call would come between.
   */
  readonly use: <R>(name: string, work: (file: T) => R) => R;
  readonly openNames: () => string[];
  readonly closeAll: () => void;
};

export type OpenFilesParts<T> = {
  readonly open: (name: string) => T;
  readonly close: (file: T) => void;
  readonly max?: number;
};

export function openFiles<T>(
  { open, close, max = OPEN_FILES_MAX }: OpenFilesParts<T>,
): OpenFiles<T> {
  // A Map keeps the order of insertion: the first is the one used longest ago.
  const files = new Map<string, T>();
  const evict = (): void => {
    for (const [name, file] of files) {
      if (files.size <= max) return;
      files.delete(name);
      close(file);
    }
  };
  return {
    use(name, work) {
      const file = files.get(name) ?? open(name);
      files.delete(name);
      files.set(name, file);
      evict();
      const result = work(file);
      assert(
        !(result instanceof Promise),
        "file_use_asynchronous",
        "a ledger file was used across an await",
      );
      return result;
    },
    openNames: () => [...files.keys()],
    closeAll() {
      for (const file of files.values()) close(file);
      files.clear();
    },
  };
}
