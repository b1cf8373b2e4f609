/** Seconds since 1970, and waiting. */
export interface Clock {
  now(): number;
  sleep(seconds: number, signal?: AbortSignal): Promise<void>;
}

export const clock: Clock = {
  now: () => Date.now() / 1000,
  sleep: (seconds, signal) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", aborted);
        resolve();
      }, seconds * 1000);
      function aborted() {
        clearTimeout(timer);
        reject(signal!.reason as Error);
      }
      signal?.addEventListener("abort", aborted, { once: true });
    }),
};
