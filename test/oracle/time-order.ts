/**
 * Largest number of events that are held back. Between two rounds there are more only in a recording without
 * rounds.
 */
const MAX_PENDING = 1 << 17;

/**
 * Puts events into the order of time.
 *
 * In a recording, the buffers of the CPUs alternate. A FINISHED_ROUND record says that all buffers were emptied.
 * Events after this record are newer than all events before the previous FINISHED_ROUND (perf:
 * tools/perf/util/ordered-events.c).
 */
export class TimeOrder<T> {
  readonly #deliver: (event: T) => void;
  #pending: { time: number; event: T }[] = [];
  #newest = 0;
  #lastRound = 0;

  constructor(deliver: (event: T) => void) {
    this.#deliver = deliver;
  }

  /** Adds an event. Time 0 means that the event holds from the start on, as in records that perf itself makes. */
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
    this.#pending.sort((a, b) => a.time - b.time); // The sort is stable, so equal times keep the order of the file.
    let count = 0;
    for (const { time, event } of this.#pending) {
      if (time > until) break;
      this.#deliver(event);
      count++;
    }
    this.#pending = this.#pending.slice(count);
  }
}
