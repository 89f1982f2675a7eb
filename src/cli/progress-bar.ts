import type { Phase, Progress } from '../progress.js';
import { formatBytes } from '../report/format.js';

const BAR_WIDTH = 30;
const CLEAR_LINE = '\r\x1b[K';

const LABELS: Record<Phase, string> = {
  open: 'opening files',
  scan: 'scanning records',
  decode: 'reading branch stacks',
  symbolize: 'reading debug information',
  attribute: 'attributing counts',
  write: 'writing profile',
  merge: 'merging profiles',
};

/** One line on a terminal that is redrawn in place and leaves nothing behind. */
export class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  #drawn = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  update({ phase, done, total }: Progress): void {
    const share = total > 0 ? Math.min(1, done / total) : undefined;
    const bytes = phase === 'scan' || phase === 'decode';
    const amount = bytes ? ` ${formatBytes(done)}${total > 0 ? ` of ${formatBytes(total)}` : ''}` : '';
    const bar =
      share === undefined ? '' : `${drawBar(share)} ${String(Math.floor(share * 100)).padStart(3)} %  `;
    const line = `${bar}${LABELS[phase]}${amount}`;
    this.#stream.write(`${CLEAR_LINE}${line.slice(0, (this.#stream.columns || 80) - 1)}`);
    this.#drawn = true;
  }

  clear(): void {
    if (this.#drawn) this.#stream.write(CLEAR_LINE);
    this.#drawn = false;
  }
}

function drawBar(share: number): string {
  const filled = Math.round(share * BAR_WIDTH);
  return `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}]`;
}
