import { useEffect, useMemo, useState } from 'preact/hooks';
import { Code } from './code.js';
import { addCounts, type Count, formatCount, formatRatio, largerCount, ratio, toCount } from './count.js';
import {
  type Body,
  type Call,
  clipped,
  type FunctionDetail,
  type FunctionRow,
  type Profile,
} from './model.js';
import { Bar, NumberedLink, Section, TemperatureMark } from './parts.js';
import { hrefTo } from './route.js';

/** Number of callers, and of called functions, that are listed before the reader asks for all. */
const LISTED = 12;

/** Shows one function: its counts, its lines and its callers. */
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
          <div class="columns">
            <Calls title="Callers" profile={profile} calls={detail.callers} inlined="Inlined into it" />
            <Calls title="Calls" profile={profile} calls={detail.callees} inlined="Inlined here" />
          </div>
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
        The profile of {profile.id} has no function <code>{clipped(name)}</code>.{' '}
        <a href={hrefTo(profile.id, 'functions', name)}>Search all functions for it.</a>
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
        ['Self', formatCount(row.self)],
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
        {row.shown !== row.name && <code class="mangled">{clipped(row.name)}</code>}
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
  const own = lines.reduce<Count>((max, { count }) => largerCount(max, count), 0);
  return inlined.reduce<Count>((max, { body }) => largerCount(max, largest(body)), own);
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

/** Explains the second column of counts. */
function explainBase(profile: Profile): string {
  const base = profile.packed.comparison?.totalSamples ?? 0;
  const share = formatRatio(ratio(toCount(base), profile.totalSamples));
  return `The second count is that of the base profile, whose samples are ${share} of these.`;
}

/** Explains the numbers of the lines. */
function explain(
  { packed }: Profile,
  { place }: FunctionRow,
  sources: FunctionDetail['sources'],
  isCopies: boolean,
): string {
  const what = isCopies
    ? 'It has samples only where it is inlined; these are the sums over its copies. '
    : '';
  if (packed.locations === 'probes') return `${what}Numbers are those of pseudo probes in the function.`;
  if (place === undefined) {
    const remedy = packed.places.length > 0 ? '' : ' A report that is made with --binary has lines of files.';
    return `${what}Numbers are lines from the declaration of the function.${remedy}`;
  }
  if (sources.has(place.file)) return `${what}Where a line has several counts, the largest stands beside it.`;
  return `${what}Numbers are lines of the file. ${packed.hasSource ? 'The file was not found below the folder of --source-dir.' : 'A report that is made with --source-dir has their text.'}`;
}

interface CallsProps {
  title: string;
  profile: Profile;
  calls: readonly Call[];
  /** Heading of the column with the samples of inlined copies. */
  inlined: string;
}

/** Shows the callers of a function, or the functions that it calls. */
function Calls({ title, profile, calls, inlined }: CallsProps) {
  const [all, setAll] = useState(false);
  if (calls.length === 0) return null;
  const sum = calls.reduce((total: Count, call) => addCounts(total, call.calls), 0);
  const hasInlined = calls.some((call) => Number(call.inlined) > 0);
  return (
    <Section title={title}>
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Function</th>
            <th scope="col" class="number">
              Calls
            </th>
            <th scope="col" class="number">
              Share
            </th>
            {hasInlined && (
              <th scope="col" class="number">
                {inlined}
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {calls.slice(0, all ? calls.length : LISTED).map((call) => (
            <tr key={call.name}>
              <td>
                <NumberedLink profile={profile} name={call.name} />
              </td>
              <td class="number">{Number(call.calls) > 0 && formatCount(call.calls)}</td>
              <td class="number wide">
                {Number(call.calls) > 0 && (
                  <>
                    {formatRatio(ratio(call.calls, sum))}
                    <Bar share={ratio(call.calls, sum)} kind="plain" />
                  </>
                )}
              </td>
              {hasInlined && <td class="number">{Number(call.inlined) > 0 && formatCount(call.inlined)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      {!all && calls.length > LISTED && (
        <button type="button" class="link" onClick={() => setAll(true)}>
          All {formatCount(calls.length)} functions
        </button>
      )}
    </Section>
  );
}
