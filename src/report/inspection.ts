import type { EventSummary, PerfDataSummary } from '../perf-data/summary.js';
import { formatCount, formatShare, labelledLine, plural } from './format.js';

/** Number of images that are shown to people. `--json` has all of them. */
const MAX_IMAGES = 12;

/** Describes a perf.data, for people. Ends with a line break. */
export function inspectionText(summary: PerfDataSummary): string {
  const { machine, autofdo } = summary;
  const lines: string[] = [];
  const line = (label: string, text: string | undefined) => {
    if (text) lines.push(labelledLine(label, text));
  };
  const machineParts = [machine.hostname, machine.osRelease && `Linux ${machine.osRelease}`, machine.arch];
  const cpus = machine.cpus === undefined ? undefined : plural(machine.cpus, 'CPU');
  line('file', `${summary.file} (${describeContainer(summary)})`);
  line('machine', [...machineParts, cpus].filter(Boolean).join(', '));
  line('CPU', [machine.cpu, machine.cpuId && `(${machine.cpuId})`].filter(Boolean).join(' '));
  line('recorded by', summary.perfVersion && `perf ${summary.perfVersion}`);
  line('command', summary.commandLine?.join(' '));
  line('time', summary.timeSpan && `${summary.timeSpan.first} to ${summary.timeSpan.last} s`);
  line('samples', formatCount(summary.samples));
  const entries = plural(summary.branchEntries, 'entry', 'entries');
  const depth = `at most ${summary.branchDepth} a sample`;
  line('branch stacks', `${plural(summary.branchSamples, 'sample')} with ${entries}, ${depth}`);
  line('lost', describeLoss(summary));
  for (const event of summary.events) line('event', describeEvent(event));
  for (const { path, buildId, samples } of summary.images.slice(0, MAX_IMAGES)) {
    line(
      'image',
      `${formatShare(samples, summary.samples).padStart(7)}  ${path}${buildId ? ` (${buildId})` : ''}`,
    );
  }
  const more = summary.images.length - MAX_IMAGES;
  if (more > 0) line('', `and ${more} more (--json shows all)`);
  for (const problem of summary.problems) line('problem', problem);
  line('AutoFDO', autofdo.usable ? 'usable' : 'not usable');
  for (const reason of autofdo.reasons) line('', reason);
  line('', autofdo.advice);
  return `${lines.join('\n')}\n`;
}

function describeContainer({
  pipe,
  directory,
  compressed,
  endian,
  version,
  complete,
}: PerfDataSummary): string {
  const parts = [directory ? 'directory' : pipe ? 'pipe stream' : 'file', `${endian}-endian`];
  if (version === 1) parts.push('version 1');
  if (compressed) parts.push('zstd');
  if (!complete) parts.push('incomplete');
  return parts.join(', ');
}

function describeLoss({ lost, unreadable }: PerfDataSummary): string | undefined {
  const parts = [
    // The kernel's lost records are told in LOST records first. At the end, perf 6.1 and later adds them up as
    // lost samples, so the larger number is shown.
    // biome-ignore lint/complexity/useMathMinMax: these are bigints
    [lost.records > lost.samples ? lost.records : lost.samples, 'record', 'dropped by the kernel'],
    [unreadable.unknownEvent, 'sample', 'of unknown events'],
    [unreadable.tooShort, 'sample', 'cut short'],
  ] as const;
  const some = parts.filter(([count]) => count > 0);
  return some.map(([count, thing, how]) => `${plural(count, thing)} ${how}`).join(', ') || undefined;
}

function describeEvent(event: EventSummary): string {
  const rate =
    event.frequency === undefined ? `every ${formatCount(event.period ?? 0)}` : `${event.frequency} Hz`;
  const branches = event.branchFilter.length > 0 ? `, branches ${event.branchFilter.join(',')}` : '';
  return `${event.name}, ${rate}${branches}: ${plural(event.samples, 'sample')}`;
}
