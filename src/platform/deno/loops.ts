// Work that repeats in this process: waking ledgers, the sweep. One round at a time; stopping waits
// for the round that runs.

type Loop = { readonly stop: () => Promise<void> };

/**
 * Runs `round` again and again, `everyMs` after the last one ended. A failing round is given
 * to `failed` and does not end the loop.
 */
export function startLoop(
  options: {
    readonly firstMs: number;
    readonly everyMs: number;
    readonly round: () => Promise<unknown>;
    readonly failed: (error: unknown) => void;
  },
): Loop {
  let stopped = false;
  let running: Promise<void> = Promise.resolve();
  const once = async (): Promise<void> => {
    try {
      await options.round();
    } catch (error) {
      options.failed(error);
    }
    if (!stopped) timer = setTimeout(start, options.everyMs);
  };
  const start = (): void => {
    running = once();
  };
  let timer = setTimeout(start, options.firstMs);
  return {
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
