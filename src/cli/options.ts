// How every command ends when it is called wrongly: its usage on standard error and exit code 2,
// before anything is done.

/** Prints how the command is used and ends the process with 2. */
export function endWithUsage(usage: string): never {
  console.error(`usage: ${usage}`);
  process.exit(2);
}

/**
 * What `read` makes of the options; an unknown option or a missing value shows the usage instead of
 * a stack.
 */
export function readOptions<T>(usage: string, read: () => T): T {
  try {
    return read();
  } catch {
    return endWithUsage(usage);
  }
}
