import type { Phase, Progress } from '../progress.js';
import { formatBytes, formatSeconds } from '../report/format.js';

const BAR_WIDTH = 30;
const CLEAR_LINE = '\r\x1b[K';
/** Number of columns assumed for a terminal that does not report its width. */
const DEFAULT_COLUMNS = 80;
/** Least time in milliseconds, and least share of the work, before the rate and the remaining time are shown. */
const MIN_TIME = 2000;
const MIN_SHARE = 0.03;

const LABELS: Record<Phase, string> = {
  download: 'fetching files by build id',
  open: 'opening files',
  scan: 'scanning records',
  decode: 'reading branch stacks',
  symbolize: 'reading debug information',
  attribute: 'attributing counts',
  write: 'writing profile',
  merge: 'merging profiles',
  report: 'making the report',
};

/** A line on a terminal that is redrawn in place. Nothing of the line remains at the end. */
export class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  readonly #now: () => number;
  #drawn = false;
  #phase: Phase | undefined;
  #since = 0;

  /** Makes a bar on `stream`. `now` returns the time in milliseconds. */
  constructor(stream: NodeJS.WriteStream, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#now = now;
  }

  update(progress: Progress): void {
    if (progress.phase !== this.#phase) {
      this.#phase = progress.phase;
      this.#since = this.#now();
    }
    const line = progressText(progress, this.#now() - this.#since);
    this.#stream.write(`${CLEAR_LINE}${line.slice(0, (this.#stream.columns || DEFAULT_COLUMNS) - 1)}`);
    this.#drawn = true;
  }

  clear(): void {
    if (this.#drawn) this.#stream.write(CLEAR_LINE);
    this.#drawn = false;
  }
}

/**
 * Prints lines about files that are being fetched: at most one line a second, and one line when a file is
 * complete.
 */
export class DownloadLines {
  readonly #stream: NodeJS.WritableStream;
  readonly #now: () => number;
  #last = Number.NEGATIVE_INFINITY;

  /** Makes a printer of lines to `stream`. `now` returns the time in milliseconds. */
  constructor(stream: NodeJS.WritableStream, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#now = now;
  }

  update({ phase, done, total }: Progress): void {
    const isWhole = total > 0 && done >= total;
    if (phase !== 'download' || (!isWhole && this.#now() - this.#last < 1000)) return;
    this.#last = this.#now();
    const whole = total > 0 ? ` of ${formatBytes(total)}` : '';
    this.#stream.write(`${LABELS.download}: ${formatBytes(done)}${whole}\n`);
  }
}

/**
 * Returns the line that shows the progress of a job. `elapsed` is the time since the phase began, in milliseconds.
 */
export function progressText({ phase, done, total, file, files }: Progress, elapsed: number): string {
  const share = total > 0 ? Math.min(1, done / total) : undefined;
  const parts = [LABELS[phase]];
  if (file !== undefined && files !== undefined) parts.push(`file ${file} of ${files}`);
  else if (phase === 'merge' && total > 0) parts.push(`file ${done} of ${total}`);
  if (phase === 'decode' || phase === 'download') {
    parts.push(`${formatBytes(done)}${total > 0 ? ` of ${formatBytes(total)}` : ''}`);
    if (elapsed > MIN_TIME) parts.push(`${formatBytes(Math.round((done / elapsed) * 1000))}/s`);
  }
  if (share !== undefined && share > MIN_SHARE && elapsed > MIN_TIME) {
    parts.push(`${formatSeconds(((elapsed / share) * (1 - share)) / 1000)} left`);
  }
  const bar =
    share === undefined ? '' : `${drawBar(share)} ${String(Math.floor(share * 100)).padStart(3)} %  `;
  return bar + parts.join(', ');
}

function drawBar(share: number): string {
  const filled = Math.round(share * BAR_WIDTH);
  return `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}]`;
}
