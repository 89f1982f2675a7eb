import { useEffect, useMemo, useState } from 'preact/hooks';
import { Code } from './code.js';
import { type Count, formatCount, formatRatio, larger, plus, ratio, toCount } from './count.js';
import type { Body, FunctionDetail, FunctionRow, Profile } from './model.js';
import { Bar, NumberedLink, Section, TemperatureMark } from './parts.js';
import { hrefTo } from './route.js';

/** Callers that are listed before the rest is asked for. */
const CALLERS = 12;

/** One function: its counts, its lines, who calls it. */
export function FunctionPage({ profile, name }: { profile: Profile; name: string }) {
  const row = profile.find(name);
  const [detail, setDetail] = useState<FunctionDetail>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    if (row === undefined) return;
    profile.detail(row).then(setDetail, (error: unknown) => setProblem(String(error)));
  }, [profile, row]);
  if (row === undefined) return <Unknown profile={profile} name={name} />;
  return (
    <>
      <h1 class="function-name">{row.shown}</h1>
      <Head profile={profile} row={row} />
      {problem !== undefined && <p role="alert">{problem}</p>}
      {detail === undefined ? (
        <p class="loading">Unpacking its lines.</p>
      ) : (
        <>
          <Lines profile={profile} row={row} detail={detail} />
          <Callers profile={profile} callers={detail.callers} />
        </>
      )}
    </>
  );
}

function Unknown({ profile, name }: { profile: Profile; name: string }) {
  return (
    <>
      <h1>No such function</h1>
      <p>
        The profile of {profile.id} has no function <code>{name}</code>.{' '}
        <a href={hrefTo(profile.id, 'functions', name)}>Search for it</a>
      </p>
    </>
  );
}

function Head({ profile, row }: { profile: Profile; row: FunctionRow }) {
  const isOwn = Number(row.total) > 0 || row.copies === 0;
  const facts: [string, string][] = isOwn
    ? [
        ['Share', formatRatio(profile.share(row.total))],
        ['Total', formatCount(row.total)],
        ['Own lines', formatCount(row.self)],
        ['Entered', formatCount(row.head)],
      ]
    : [];
  if (row.copies > 0)
    facts.push([
      row.copies === 1 ? 'In 1 inlined copy' : `In ${formatCount(row.copies)} inlined copies`,
      formatCount(row.inlinedTotal),
    ]);
  if (row.base !== undefined)
    facts.push(['Total in the base', row.base === null ? 'not there' : formatCount(row.base)]);
  return (
    <>
      <p class="function-place">
        <TemperatureMark of={row.temperature} />
        {row.place && (
          <span class="path">
            {row.place.file}:{row.place.line}
          </span>
        )}
        {row.shown !== row.name && <code class="mangled">{row.name}</code>}
      </p>
      <dl class="facts small">
        {facts.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function largest({ lines, inlined }: Body): Count {
  const own = lines.reduce<Count>((max, { count }) => larger(max, count), 0);
  return inlined.reduce<Count>((max, { body }) => larger(max, largest(body)), own);
}

function Lines({ profile, row, detail }: { profile: Profile; row: FunctionRow; detail: FunctionDetail }) {
  const { body, sources, baseLines } = detail;
  const most = useMemo(() => largest(body), [body]);
  const isCopies = Number(row.total) === 0 && row.copies > 0;
  return (
    <Section title={isCopies ? 'Lines of all copies' : 'Lines'}>
      <p class="note">
        {explain(profile, row, sources, isCopies)}
        {baseLines && ` ${explainBase(profile)}`}
      </p>
      <div class="code-box">
        <Code
          profile={profile}
          body={body}
          sources={sources}
          baseLines={baseLines}
          most={most}
          label={`Lines of ${row.shown}`}
        />
      </div>
    </Section>
  );
}

/** What the second column of counts is. */
function explainBase(profile: Profile): string {
  const base = profile.packed.comparison?.totalSamples ?? 0;
  const share = formatRatio(ratio(toCount(base), profile.totalSamples));
  return `The second count is that of the base profile, whose samples are ${share} of these.`;
}

/** What the numbers of lines are. */
function explain(
  { packed }: Profile,
  { place }: FunctionRow,
  sources: FunctionDetail['sources'],
  isCopies: boolean,
): string {
  const what = isCopies ? 'Its code is inlined everywhere; these are the sums over its copies. ' : '';
  if (packed.locations === 'probes') return `${what}Numbers are pseudo probes of the function.`;
  if (place === undefined) {
    const remedy = packed.places.length > 0 ? '' : ' A report that is made with --binary has lines of files.';
    return `${what}Numbers are lines from the declaration of the function.${remedy}`;
  }
  if (sources.has(place.file)) return `${what}A line with several counts shows the largest.`;
  return `${what}Numbers are lines of the file. ${packed.hasSource ? 'It was not found in the folder of the source.' : 'A report that is made with --source-dir shows them.'}`;
}

function Callers({ profile, callers }: { profile: Profile; callers: FunctionDetail['callers'] }) {
  const [all, setAll] = useState(false);
  if (callers.length === 0) return null;
  const calls = callers.reduce((sum: Count, caller) => plus(sum, caller.calls), 0);
  return (
    <Section title="Callers">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Function</th>
            <th scope="col" class="number">
              Calls
            </th>
            <th scope="col" class="number">
              Samples inlined into it
            </th>
          </tr>
        </thead>
        <tbody>
          {callers.slice(0, all ? callers.length : CALLERS).map((caller) => (
            <tr key={caller.name}>
              <td>
                <NumberedLink profile={profile} name={caller.name} />
              </td>
              <td class="number wide">
                {Number(caller.calls) > 0 && (
                  <>
                    {formatCount(caller.calls)}
                    <Bar share={ratio(caller.calls, calls)} kind="plain" />
                  </>
                )}
              </td>
              <td class="number">{Number(caller.inlined) > 0 && formatCount(caller.inlined)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {!all && callers.length > CALLERS && (
        <button type="button" class="link" onClick={() => setAll(true)}>
          All {formatCount(callers.length)} callers
        </button>
      )}
    </Section>
  );
}
