import type { RecordingReport, Temperature } from '../src/profile-report/types.js';
import { formatSeconds } from '../src/report/format.js';
import { CLASS_KINDS, CLASS_LABELS } from '../src/report/ledger-labels.js';
import type { EntryClass } from '../src/result.js';
import { formatCount, formatRatio, ratio, toCount } from './count.js';
import type { Model, Profile } from './model.js';
import { Bar, FunctionLink, Section, TemperatureMark } from './parts.js';
import { hrefTo } from './route.js';

/** Functions that the overview lists. */
const TOP = 12;

/** What the profile and its recording are worth, in numbers and pictures. */
export function Overview({ model, profile }: { model: Model; profile: Profile }) {
  const { recording } = model.report;
  return (
    <>
      <h1>{profile.id}</h1>
      <Facts model={model} profile={profile} />
      <Findings model={model} profile={profile} />
      {recording && <LedgerPicture recording={recording} several={model.profiles.length > 1} />}
      <div class="columns">
        <Temperatures profile={profile} />
        <Heaviest profile={profile} />
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
  // Density grows with the number of samples, and that with time.
  const needed = ((recording?.seconds ?? 0) * density.enough) / density.value;
  return (
    <dl class="facts">
      {recording && (
        <Fact name="Samples" value={formatCount(recording.statistics.samples)}>
          {recording.seconds === undefined || recording.seconds === 0
            ? `${formatCount(recording.statistics.branchEntries)} branch entries`
            : `in ${formatSeconds(recording.seconds)}, with ${formatCount(recording.statistics.branchEntries)} branch entries`}
        </Fact>
      )}
      <Fact name="Functions" value={formatCount(own)}>
        {packed.temperatures.hot.functions === 1
          ? '1 is hot'
          : `${formatCount(packed.temperatures.hot.functions)} are hot`}
      </Fact>
      <Fact name="Density" value={density.value.toFixed(1)} state={enough ? 'good' : 'bad'}>
        {enough ? `enough: at least ${density.enough}` : `too low: ${density.enough} is enough`}
        {!enough &&
          needed > 0 &&
          Number.isFinite(needed) &&
          `, which ${formatSeconds(needed)} of this load reach`}
      </Fact>
      {coverage && (
        <Fact name="Coverage" value={formatRatio(ratio(coverage.sampledFunctions, coverage.functions))}>
          {formatCount(coverage.sampledFunctions)} of {formatCount(coverage.functions)} functions of the
          binary
        </Fact>
      )}
      <Fact name="Largest count" value={formatCount(toCount(packed.maxCount))}>
        hot from {formatCount(profile.hot)}
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
  // The density is told above.
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
  const grave = all.filter(({ severity }) => severity !== 'note');
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

function LedgerPicture({ recording, several }: { recording: RecordingReport; several: boolean }) {
  const { ledger, branchEntries } = recording.statistics;
  const all = Object.entries(ledger) as [EntryClass, number][];
  const rows = all.filter(([, entries]) => entries > 0).sort((a, b) => b[1] - a[1]);
  const scope = several ? ' all binaries together' : '';
  return (
    <Section title="What became of the branch entries">
      <div class="stack" aria-hidden="true">
        {rows.map(([name, entries]) => (
          <span
            key={name}
            class={CLASS_KINDS[name]}
            style={{ flexGrow: entries }}
            title={`${CLASS_LABELS[name]}: ${formatRatio(ratio(entries, branchEntries))}`}
          />
        ))}
      </div>
      <table class="plain">
        <caption class="hidden">Branch entries by what became of them,{scope}</caption>
        <thead class="hidden">
          <tr>
            <th scope="col">Class</th>
            <th scope="col">Share</th>
            <th scope="col">Entries</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, entries]) => (
            <tr key={name}>
              <th scope="row">
                <span class={`swatch ${CLASS_KINDS[name]}`} aria-hidden="true" /> {CLASS_LABELS[name]}
              </th>
              <td class="number">{formatRatio(ratio(entries, branchEntries))}</td>
              <td class="number">{formatCount(entries)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {recording.statistics.lostRecords > 0 && (
        <p>The kernel could not deliver {formatCount(recording.statistics.lostRecords)} records.</p>
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
        Counts of {formatCount(profile.hot)} and more are hot: together they are 99 % of all samples. Counts
        of {formatCount(profile.cold)} and less are cold. The compiler uses the same limits.
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
