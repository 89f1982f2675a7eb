/** Events held back at most; more arrive between two rounds only if the recording has no rounds. */
const MAX_PENDING = 1 << 17;

/**
 * Puts events into the order of time.
 *
 * A recording interleaves the buffers of the CPUs. A FINISHED_ROUND record says that all buffers were emptied:
 * what comes later is newer than anything before the round before it (perf: tools/perf/util/ordered-events.c).
 */
export class TimeOrder<T> {
  readonly #deliver: (event: T) => void;
  #pending: { time: number; event: T }[] = [];
  #newest = 0;
  #lastRound = 0;

  constructor(deliver: (event: T) => void) {
    this.#deliver = deliver;
  }

  /** Takes an event; time 0 means it holds from the start on, as synthesized records do. */
  push(time: number, event: T): void {
    if (time === 0) {
      this.#deliver(event);
      return;
    }
    this.#pending.push({ time, event });
    if (time > this.#newest) this.#newest = time;
    if (this.#pending.length >= MAX_PENDING) this.#flush(this.#median());
  }

  finishRound(): void {
    this.#flush(this.#lastRound);
    this.#lastRound = this.#newest;
  }

  finish(): void {
    this.#flush(Number.POSITIVE_INFINITY);
  }

  #median(): number {
    const times = this.#pending.map(({ time }) => time).sort((a, b) => a - b);
    return times[times.length >>> 1] ?? 0;
  }

  #flush(until: number): void {
    this.#pending.sort((a, b) => a.time - b.time); // stable: equal times keep the order of the file
    let count = 0;
    for (const { time, event } of this.#pending) {
      if (time > until) break;
      this.#deliver(event);
      count++;
    }
    this.#pending = this.#pending.slice(count);
  }
}
