/** Does something for each item, so many at a time. The first failure, or the signal, stops all that is under way; nothing goes on behind. */
export async function atOnce<Item>(
  concurrency: number,
  items: readonly Item[],
  signal: AbortSignal | undefined,
  act: (item: Item, stop: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const stop = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) {
      stop.throwIfAborted();
      await act(item, stop);
    }
  };
  const workers = Array.from({ length: Math.max(1, concurrency) }, async () => {
    try {
      await worker();
    } catch (error) {
      failed.abort(error);
    }
  });
  await Promise.all(workers);
  stop.throwIfAborted();
}
