import type { PackedCount, WithPackedCounts } from '../src/profile-report/page-format.js';
import type { RecordingReport, Temperature } from '../src/profile-report/types.js';
import { formatSeconds } from '../src/report/format.js';
import { CLASS_KINDS, CLASS_LABELS, CLASS_NOTES } from '../src/report/ledger-labels.js';
import type { EntryClass } from '../src/result.js';
import { addCounts, type Count, descending, formatCount, formatRatio, ratio, toCount } from './count.js';
import type { Model, Profile } from './model.js';
import { Bar, FunctionLink, lineText, NumberedLink, Section, TemperatureMark } from './parts.js';
import { hrefTo } from './route.js';

/** Meanings of entries for the profile, in the order of the picture. */
const KINDS = ['used', 'elsewhere', 'lost'] as const;
const KIND_NOTES: Record<(typeof KINDS)[number], string> = {
  used: 'used',
  elsewhere: 'of other code, so no part of this profile',
  lost: 'lost to the profile',
};
/** Number of recordings that are named. */
const MAX_FILES = 5;
/** Number of functions in the overview. */
const TOP = 12;

/** Shows the worth of the profile and of its recording, in numbers and pictures. */
export function Overview({ model, profile }: { model: Model; profile: Profile }) {
  const { recording } = model.report;
  return (
    <>
      <h1>{profile.id}</h1>
      <Facts model={model} profile={profile} />
      <Findings model={model} profile={profile} />
      {recording && <LedgerPicture recording={recording} several={model.profiles.length > 1} />}
      <div class="columns">
        <Heaviest profile={profile} />
        <HotLines profile={profile} />
        <Temperatures profile={profile} />
        <Origin profile={profile} recording={recording} />
      </div>
    </>
  );
}

function Facts({ model, profile }: { model: Model; profile: Profile }) {
  const { packed } = profile;
  const { density, coverage } = packed;
  const { recording } = model.report;
  const { hot, warm, cold } = packed.temperatures;
  const own = hot.functions + warm.functions + cold.functions;
  const enough = density.value >= density.enough;
  const byAddresses = recording?.statistics.byAddresses ?? false;
  // The density grows with the number of samples, and so with time.
  const needed = ((recording?.seconds ?? 0) * density.enough) / density.value;
  return (
    <dl class="facts">
      {recording && (
        <Fact name="Samples" value={formatCount(toCount(recording.statistics.samples))}>
          {[
            ...(recording.seconds ? [`in ${formatSeconds(recording.seconds)}`] : []),
            byAddresses
              ? 'counts are inferred from their addresses'
              : `with ${formatCount(toCount(recording.statistics.branchEntries))} branch entries`,
          ].join(', ')}
        </Fact>
      )}
      <Fact name="Functions" value={formatCount(own)}>
        {packed.temperatures.hot.functions === 1
          ? '1 is hot'
          : `${formatCount(packed.temperatures.hot.functions)} are hot`}
      </Fact>
      {/* Inferred counts are executions, not samples. */}
      {!byAddresses && (
        <Fact name="Density" value={density.value.toFixed(1)} state={enough ? 'good' : 'bad'}>
          <meter
            class={enough ? 'good' : 'bad'}
            min={0}
            max={density.enough}
            value={Math.min(density.value, density.enough)}
            aria-label="Density against what is enough"
          />
          samples for each line of the hot part; {density.enough} are enough
          {!enough &&
            (needed > 0 && Number.isFinite(needed)
              ? `, which ${formatSeconds(needed)} of this load give`
              : ', so record for longer')}
        </Fact>
      )}
      {coverage && (
        <Fact name="Coverage" value={formatRatio(ratio(coverage.sampledFunctions, coverage.functions))}>
          {formatCount(coverage.sampledFunctions)} of {formatCount(coverage.functions)} functions of the
          binary
        </Fact>
      )}
      <Fact name="Largest count" value={formatCount(toCount(packed.maxCount))}>
        of a line; hot from {formatCount(profile.hot)} on
      </Fact>
      {packed.comparison && (
        <Fact name="Similarity" value={formatRatio(packed.comparison.result.similarity)}>
          <a href={hrefTo(profile.id, 'changes')}>to the base profile</a>
        </Fact>
      )}
    </dl>
  );
}

function Fact(props: {
  name: string;
  value: string;
  state?: 'good' | 'bad';
  children: preact.ComponentChildren;
}) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>
        <span class={`value ${props.state ?? ''}`}>{props.value}</span>
        <span class="note">{props.children}</span>
      </dd>
    </div>
  );
}

const SEVERITIES = { blocker: 'bad', warning: 'bad', limit: 'limit', note: 'plain' } as const;

function Findings({ model, profile }: { model: Model; profile: Profile }) {
  const { findings, diagnostics } = profile.packed;
  const failures = model.report.failures.map(({ name, message, hint }) => ({
    severity: 'blocker' as const,
    message: `${name} has no profile: ${message}`,
    hint,
  }));
  // The density is shown above.
  const said = new Set([...findings.map(({ code }) => code), 'density-low', 'density-zero']);
  const others = [...diagnostics, ...model.report.diagnostics].map((diagnostic) => ({
    ...diagnostic,
    hint: undefined,
  }));
  const seen = new Set<string>();
  const all = [...failures, ...findings, ...others.filter(({ code }) => !said.has(code))].filter(
    ({ message }) => {
      const isNew = !seen.has(message);
      seen.add(message);
      return isNew;
    },
  );
  if (all.length === 0) return null;
  const notes = all.filter(({ severity }) => severity === 'note');
  const grave = all.filter(({ severity }) => severity !== 'note').sort(mostSevereFirst);
  return (
    <Section title="What to look at">
      <FindingList findings={grave} />
      {notes.length > 0 && (
        <details class="notes" open={grave.length === 0}>
          <summary>{notes.length === 1 ? '1 note' : `${notes.length} notes`}</summary>
          <FindingList findings={notes} />
        </details>
      )}
    </Section>
  );
}

function mostSevereFirst(a: ShownFinding, b: ShownFinding): number {
  const order = Object.keys(SEVERITIES);
  return order.indexOf(a.severity) - order.indexOf(b.severity);
}

interface ShownFinding {
  severity: keyof typeof SEVERITIES;
  message: string;
  hint?: string | undefined;
}

function FindingList({ findings }: { findings: readonly ShownFinding[] }) {
  if (findings.length === 0) return null;
  return (
    <ul class="findings">
      {findings.map(({ severity, message, hint }) => (
        <li key={message} class={SEVERITIES[severity]}>
          <span class="severity">{severity}</span>
          <span>
            {message}
            {hint && <span class="hint">→ {hint}</span>}
          </span>
        </li>
      ))}
    </ul>
  );
}

function LedgerPicture({
  recording,
  several,
}: {
  recording: WithPackedCounts<RecordingReport>;
  several: boolean;
}) {
  const { ledger, branchEntries: packedEntries, byAddresses } = recording.statistics;
  const branchEntries = toCount(packedEntries);
  const all = Object.entries(ledger) as [EntryClass, PackedCount][];
  const rows = all
    .map(([name, entries]): [EntryClass, Count] => [name, toCount(entries)])
    .filter(([, entries]) => entries > 0)
    .sort(
      ([a, more], [b, less]) =>
        KINDS.indexOf(CLASS_KINDS[a]) - KINDS.indexOf(CLASS_KINDS[b]) || descending(more, less),
    );
  const what = byAddresses ? 'sampled addresses' : 'branch entries';
  const sumOf = (kind: (typeof KINDS)[number]) =>
    rows.reduce<Count>((sum, [name, entries]) => addCounts(sum, CLASS_KINDS[name] === kind ? entries : 0), 0);
  return (
    <Section title={`What became of the ${what}`}>
      <p class="note legend">
        {KINDS.map((kind) => (
          <span key={kind}>
            <span class={`swatch ${kind}`} aria-hidden="true" /> {KIND_NOTES[kind]}:{' '}
            {formatRatio(ratio(sumOf(kind), branchEntries))}
          </span>
        ))}
        {several && <span>All binaries together.</span>}
      </p>
      <div class="stack" aria-hidden="true">
        {rows.map(([name, entries]) => (
          <span
            key={name}
            class={CLASS_KINDS[name]}
            style={{ flexGrow: Number(entries) }}
            title={`${CLASS_LABELS[name]}: ${formatRatio(ratio(entries, branchEntries))}`}
          />
        ))}
      </div>
      <table class="plain ledger">
        <thead class="hidden">
          <tr>
            <th scope="col">Class</th>
            <th scope="col">Share</th>
            <th scope="col">Number</th>
            <th scope="col">Meaning</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, entries]) => (
            <tr key={name}>
              <th scope="row">
                <span class={`swatch ${CLASS_KINDS[name]}`} aria-hidden="true" /> {CLASS_LABELS[name]}
              </th>
              <td class="number">{formatRatio(ratio(entries, branchEntries))}</td>
              <td class="number entries">{formatCount(entries)}</td>
              <td class="note">{CLASS_NOTES[name]}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {Number(recording.statistics.lostRecords) > 0 && (
        <p>
          The kernel could not deliver {formatCount(toCount(recording.statistics.lostRecords))} records to
          perf. Record with a larger buffer (perf record -m) or a longer period (-c).
        </p>
      )}
    </Section>
  );
}

function Temperatures({ profile }: { profile: Profile }) {
  const { temperatures, totalCount } = profile.packed;
  const order: Temperature[] = ['hot', 'warm', 'cold'];
  return (
    <Section title="Hot, warm and cold">
      <table class="plain">
        <thead>
          <tr>
            <td />
            <th scope="col" class="number">
              Functions
            </th>
            <th scope="col" class="number">
              Lines
            </th>
            <th scope="col" class="number">
              Samples
            </th>
          </tr>
        </thead>
        <tbody>
          {order.map((of) => {
            const share = ratio(toCount(temperatures[of].samples), toCount(totalCount));
            return (
              <tr key={of}>
                <th scope="row">
                  <TemperatureMark of={of} />
                </th>
                <td class="number">{formatCount(temperatures[of].functions)}</td>
                <td class="number">{formatCount(temperatures[of].lines)}</td>
                <td class="number wide">
                  {formatRatio(share)}
                  <Bar share={share} kind={of} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p class="note">
        Counts of {formatCount(profile.hot)} and more are hot: together they are 99 % of all counts.{' '}
        {profile.cold < profile.hot && `Counts of ${formatCount(profile.cold)} and less are cold.`} A function
        is as hot as its largest count. The compiler uses the same limits.
      </p>
    </Section>
  );
}

function Heaviest({ profile }: { profile: Profile }) {
  const rows = profile.functions.slice(0, TOP).filter(({ total }) => Number(total) > 0);
  const [heaviest] = rows;
  return (
    <Section title="Heaviest functions">
      <table class="plain">
        <thead class="hidden">
          <tr>
            <th scope="col">Share</th>
            <th scope="col">Function</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.index}>
              <td class="number wide">
                {formatRatio(profile.share(row.total))}
                <Bar share={ratio(row.total, heaviest?.total ?? 0)} kind={row.temperature} />
              </td>
              <td>
                <FunctionLink profile={profile} name={row.name} shown={row.shown} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>
        <a href={hrefTo(profile.id, 'functions')}>All functions</a>
      </p>
    </Section>
  );
}

/** Shows the lines with the largest counts. */
function HotLines({ profile }: { profile: Profile }) {
  const { hotLines } = profile.packed;
  const most = hotLines[0]?.[4] ?? 0;
  if (hotLines.length === 0) return null;
  return (
    <Section title={profile.packed.locations === 'probes' ? 'Hottest pseudo probes' : 'Hottest lines'}>
      <table class="plain">
        <thead class="hidden">
          <tr>
            <th scope="col">Count</th>
            <th scope="col">Line</th>
            <th scope="col">Function</th>
          </tr>
        </thead>
        <tbody>
          {hotLines.map(([name, inside, line, discriminator, packed]) => {
            const count = toCount(packed);
            const isInlined = name !== inside && !profile.name(inside).endsWith(` @ ${profile.name(name)}`);
            return (
              <tr key={`${name} ${inside} ${line}.${discriminator}`}>
                <td class="number wide">
                  {formatCount(count)}
                  <Bar share={ratio(count, toCount(most))} kind={profile.temperature(count)} />
                </td>
                <td class="place">{lineText(profile, name, { line, discriminator })}</td>
                <td>
                  {isInlined && <span class="name">{profile.shown(name)}</span>}
                  <span class="within">
                    {isInlined && <span class="note">inlined into </span>}
                    <NumberedLink profile={profile} name={inside} />
                  </span>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Section>
  );
}

/** Shows the inputs from which the profile was made. */
function Origin({
  profile,
  recording,
}: {
  profile: Profile;
  recording: WithPackedCounts<RecordingReport> | undefined;
}) {
  const { path, buildId, format, comparison } = profile.packed;
  const files = recording?.files ?? [];
  const facts: [string, string][] = [[format === undefined ? 'Binary' : 'Profile', path]];
  if (buildId !== undefined) facts.push(['Build id', buildId]);
  if (format !== undefined) facts.push(['Encoding', format]);
  if (files.length > 0)
    facts.push([files.length === 1 ? 'Recording' : 'Recordings', files.slice(0, MAX_FILES).join(', ')]);
  if (files.length > MAX_FILES) facts.push(['', `and ${formatCount(files.length - MAX_FILES)} more`]);
  if (comparison !== undefined) facts.push(['Base profile', comparison.path]);
  return (
    <Section title="What this is made of">
      <table class="plain">
        <tbody>
          {facts.map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class="path">{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}
