/**
 * Lets only a limited number of jobs into libuv's thread pool at once.
 *
 * The pool has four threads by default, and file system calls share them, so jobs must not fill the pool. Each job
 * uses all processors anyway. A job that waits in this queue can be aborted at once; a job that waits in the pool
 * cannot.
 */
export class JobQueue {
  readonly #limit: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Runs `job` when its turn comes. Rejects with the signal's reason if the signal is aborted before that. */
  async run<T>(signal: AbortSignal | undefined, job: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    if (this.#running >= this.#limit) await this.#turn(signal);
    else this.#running++;
    try {
      return await job();
    } finally {
      const next = this.#waiting.shift();
      // The finished job hands its place to the next one. If the place were freed, a newcomer could take it in
      // between.
      if (next === undefined) this.#running--;
      else next();
    }
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const start = () => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(start), 1);
        reject(signal?.reason);
      };
      this.#waiting.push(start);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }
}
