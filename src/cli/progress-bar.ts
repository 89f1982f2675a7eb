import type { Phase, Progress } from '../progress.js';
import { formatBytes, formatSeconds } from '../report/format.js';

const BAR_WIDTH = 30;
const CLEAR_LINE = '\r\x1b[K';
/** Columns of a terminal that does not tell how many it has. */
const DEFAULT_COLUMNS = 80;
/** Milliseconds, and share of the work, before a rate and an estimate of the rest are worth showing. */
const LEAST_TIME = 2000;
const LEAST_SHARE = 0.03;

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

/** One line on a terminal that is redrawn in place and leaves nothing behind. */
export class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  readonly #now: () => number;
  #drawn = false;
  #phase: Phase | undefined;
  #since = 0;

  /** `now` tells milliseconds. */
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

/** Lines about files that are being fetched, at most one a second, and one when a file is there. */
export class DownloadLines {
  readonly #stream: NodeJS.WritableStream;
  readonly #now: () => number;
  #last = Number.NEGATIVE_INFINITY;

  /** `now` tells milliseconds. */
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

/** The line that shows how far a job is; `elapsed` milliseconds have passed since the phase began. */
export function progressText({ phase, done, total, file, files }: Progress, elapsed: number): string {
  const share = total > 0 ? Math.min(1, done / total) : undefined;
  const parts = [LABELS[phase]];
  if (file !== undefined && files !== undefined) parts.push(`file ${file} of ${files}`);
  else if (phase === 'merge' && total > 0) parts.push(`file ${done} of ${total}`);
  if (phase === 'decode' || phase === 'download') {
    parts.push(`${formatBytes(done)}${total > 0 ? ` of ${formatBytes(total)}` : ''}`);
    if (elapsed > LEAST_TIME) parts.push(`${formatBytes(Math.round((done / elapsed) * 1000))}/s`);
  }
  if (share !== undefined && share > LEAST_SHARE && elapsed > LEAST_TIME) {
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
