import type { CollectResult, Counted } from '../collect-traces.js';
import type { TracesSummary } from '../inspect-traces.js';
import { formatBytes, formatCount, labelledLine, plural } from './format.js';

/** Number of files that are shown to people. `--json` has all of them. */
const MAX_BINARIES = 20;

/** Summarises a collection, for people. Ends with a line break. */
export function collectText({ shards, ledger, interrupted }: CollectResult): string {
  const [first, ...others] = shards;
  const sum = (of: (shard: (typeof shards)[number]) => number) =>
    shards.reduce((total, shard) => total + of(shard), 0);
  const names = others.length === 0 ? (first?.path ?? '') : plural(shards.length, 'file');
  return [
    ...ledgerLines(ledger),
    line('rows', formatCount(sum(({ rows }) => rows))),
    line('output', `${names} (${formatBytes(sum(({ size }) => size))})`),
    interrupted ? line('interrupted', 'what came later is not in the output') : '',
  ].join('');
}

/** Describes the contents of a trace shard, for people. Ends with a line break. */
export function tracesText(summary: TracesSummary): string {
  const { schemaVersion, sampleTimes, binaries } = summary;
  const lines = [
    line('file', `${summary.file} (${formatBytes(summary.size)})`),
    line(
      'traces',
      `${plural(summary.rows, 'row')} in ${plural(summary.groups, 'group')}, ${
        schemaVersion === undefined ? 'schema not stated' : `schema ${schemaVersion}`
      }`,
    ),
  ];
  if (summary.tool !== undefined) lines.push(line('collected by', summary.tool));
  if (summary.host !== undefined) lines.push(line('host', summary.host));
  if (summary.written !== undefined) lines.push(line('written', summary.written.toISOString()));
  if (sampleTimes !== undefined) {
    lines.push(line('samples from', `${sampleTimes[0]} to ${sampleTimes[1]} ns`));
  }
  lines.push(...ledgerLines(summary.ledger));
  for (const { name, count } of summary.events)
    lines.push(line('event', `${name}: ${eventText(count, summary)}`));
  for (const { path, buildId, kind, count, addresses, stacks, rows } of binaries.slice(0, MAX_BINARIES)) {
    const parts = [plural(rows, 'row')];
    if (count > 0n) parts.push(`${plural(count, 'branch', 'branches')} from or to it`);
    if (addresses > 0n) parts.push(plural(addresses, 'sampled address', 'sampled addresses'));
    if (stacks > 0n) parts.push(plural(stacks, 'sample with a call chain', 'samples with call chains'));
    lines.push(line(kind, `${path} (${buildId ?? 'no build id'}): ${parts.join(', ')}`));
  }
  const more = binaries.length - MAX_BINARIES;
  if (more > 0) lines.push(line('', `and ${more} more (--json shows all)`));
  return lines.join('');
}

/** Says what the number of an event counts. A shard may have branches, sampled addresses, or both. */
function eventText(count: bigint, { binaries }: TracesSummary): string {
  const branches = binaries.some((binary) => binary.count > 0n);
  const addresses = binaries.some((binary) => binary.addresses > 0n);
  if (branches && addresses)
    return `${plural(count, 'branch or address', 'branches and addresses')} of these files`;
  if (addresses) return `${plural(count, 'sampled address', 'sampled addresses')} in these files`;
  return `${plural(count, 'branch', 'branches')} from these files`;
}

function ledgerLines(ledger: readonly Counted[]): string[] {
  return ledger.map(({ name, count }, index) =>
    line(index === 0 ? 'read' : '', `${formatCount(count)} ${count === 1n ? singular(name) : name}`),
  );
}

/** The nouns that names of the ledger begin with, and their singulars. */
const NOUNS = {
  samples: 'sample',
  entries: 'entry',
  addresses: 'address',
  records: 'record',
  'call chains': 'call chain',
};

/** Returns a name of the ledger for one thing: `entry that was not taken`. */
function singular(name: string): string {
  const noun = Object.entries(NOUNS).find(([plural]) => name.startsWith(plural));
  if (noun === undefined) return name;
  return (noun[1] + name.slice(noun[0].length)).replace(' that were ', ' that was ');
}

function line(label: string, text: string): string {
  return `${labelledLine(label, text)}\n`;
}
