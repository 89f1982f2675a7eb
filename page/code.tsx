import { useMemo, useState } from 'preact/hooks';
import { distanceText } from '../src/profile-report/source-line.js';
import { addCounts, type Count, descending, formatCount, formatRatio, ratio } from './count.js';
import { type CodeLine, codeLines, stretches } from './lines.js';
import type { Body, FunctionDetail, LineCounts, Profile } from './model.js';
import { Bar, NumberedLink } from './parts.js';

interface CodeProps {
  profile: Profile;
  body: Body;
  sources: FunctionDetail['sources'];
  baseLines?: FunctionDetail['baseLines'];
  /** The largest count. The longest bar stands for it. */
  most: Count;
  label: string;
  /** True if these lines stand inside the lines of another function, whose headings they share. */
  isNested?: boolean;
}

/** Shows the lines of a function with their counts. Inlined code opens at the line of its call. */
export function Code({ profile, body, sources, baseLines, most, label, isNested = false }: CodeProps) {
  const place = profile.firstLine(body.name);
  const lines = useMemo(() => codeLines(body, place, sources, baseLines), [body, place, sources, baseLines]);
  const parts = useMemo(() => stretches(lines, place?.line), [lines, place]);
  return (
    <table class="code" aria-label={label}>
      <thead class={isNested ? 'hidden' : ''}>
        <tr>
          <th scope="col">{profile.packed.locations === 'probes' ? 'Probe' : 'Line'}</th>
          <th scope="col">Count</th>
          {baseLines && <th scope="col">Base</th>}
          <th scope="col">Code</th>
        </tr>
      </thead>
      <tbody>
        {parts.map((part) =>
          'lines' in part ? (
            part.lines.map((line) => (
              <Line
                key={line.number}
                line={line}
                profile={profile}
                sources={sources}
                most={most}
                isOffset={place === undefined}
                hasBase={baseLines !== undefined}
              />
            ))
          ) : (
            <Hidden
              key={`hidden ${part.hidden[0]?.number}`}
              lines={part.hidden}
              hasBase={baseLines !== undefined}
            />
          ),
        )}
      </tbody>
    </table>
  );
}

/** Hides lines without counts until the reader asks for them. */
function Hidden({ lines, hasBase }: { lines: readonly CodeLine[]; hasBase: boolean }) {
  const [open, setOpen] = useState(false);
  if (open) {
    return (
      <>
        {lines.map((line) => (
          <tr key={line.number}>
            <th scope="row">{line.number}</th>
            <td class="count" />
            {hasBase && <td />}
            <td class="source">
              <Source line={line} />
            </td>
          </tr>
        ))}
      </>
    );
  }
  return (
    <tr class="gap">
      <th scope="row">
        <span class="hidden">Lines left out</span>
      </th>
      <td />
      {hasBase && <td />}
      <td>
        <button type="button" class="link" onClick={() => setOpen(true)}>
          {lines.length === 1 ? '1 line without samples' : `${lines.length} lines without samples`}
        </button>
      </td>
    </tr>
  );
}

interface LineNumberProps {
  number: number;
  profile: Profile;
  isOffset: boolean;
}

/** Shows the number of a line of the file, a distance from the declaration, or the number of a pseudo probe. */
function LineNumber({ number, profile: { packed }, isOffset }: LineNumberProps) {
  if (packed.locations === 'probes') return <th scope="row">{number}</th>;
  if (isOffset) return <th scope="row">{distanceText(number)}</th>;
  if (number > 0) return <th scope="row">{number}</th>;
  return (
    <th scope="row" title="The compiler made this code for no line">
      no line
    </th>
  );
}

interface LineProps {
  line: CodeLine;
  profile: Profile;
  sources: FunctionDetail['sources'];
  most: Count;
  isOffset: boolean;
  hasBase: boolean;
}

function Line({ line, profile, sources, most, isOffset, hasBase }: LineProps) {
  const { number, count, counts, base } = line;
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const discriminators = counts.filter(({ discriminator }) => discriminator !== 0);
  return (
    <>
      <tr class={count === undefined ? '' : profile.temperature(count)}>
        <LineNumber number={number} profile={profile} isOffset={isOffset} />
        <td class="count">
          {count !== undefined && (
            <div>
              {formatCount(count)}
              <Bar share={ratio(count, most)} kind={profile.temperature(count)} />
            </div>
          )}
        </td>
        {hasBase && <td class="base">{base !== undefined && formatCount(base)}</td>}
        <td class="source">
          <Source line={line} />
          {discriminators.length > 0 && <Discriminators counts={counts} />}
          {line.inlined.map((call, index) => (
            <InlinedButton
              key={`${index}`}
              call={call}
              profile={profile}
              isOpen={open.has(index)}
              onClick={() => setOpen(toggle(open, index))}
            />
          ))}
          <Calls counts={counts} profile={profile} />
        </td>
      </tr>
      {line.inlined.map(
        ({ body }, index) =>
          open.has(index) && (
            <tr key={`${index}`} class="nested">
              <td colSpan={hasBase ? 4 : 3}>
                <p class="note">
                  <NumberedLink profile={profile} name={body.name} /> {profile.place(body.name)?.file}
                </p>
                <Code
                  profile={profile}
                  body={body}
                  sources={sources}
                  most={most}
                  label={`${profile.shown(body.name)}, inlined`}
                  isNested
                />
              </td>
            </tr>
          ),
      )}
    </>
  );
}

function toggle(numbers: ReadonlySet<number>, number: number): ReadonlySet<number> {
  const others = new Set(numbers);
  if (!others.delete(number)) others.add(number);
  return others;
}

function Source({ line: { text } }: { line: CodeLine }) {
  if (text === undefined) return null;
  return (
    <code>
      {text.map(({ kind, text: piece }, index) =>
        kind === '' ? (
          piece
        ) : (
          <span key={`${index}`} class={`is-${kind}`}>
            {piece}
          </span>
        ),
      )}
    </code>
  );
}

/** Shows the parts of a line that the compiler tells apart by discriminators. */
function Discriminators({ counts }: { counts: readonly LineCounts[] }) {
  return (
    <ul class="beside" aria-label="Counts by discriminator">
      {counts.map(({ discriminator, count }) => (
        <li key={discriminator}>
          <span class="discriminator">.{discriminator}</span> {formatCount(count)}
        </li>
      ))}
    </ul>
  );
}

/** Shows the functions that were called from a line, with their shares of the line's calls. */
function Calls({ counts, profile }: { counts: readonly LineCounts[]; profile: Profile }) {
  const targets = new Map<number, Count>();
  for (const { targets: calls } of counts) {
    for (const { name, count } of calls) targets.set(name, addCounts(targets.get(name) ?? 0, count));
  }
  if (targets.size === 0) return null;
  const all = [...targets.values()].reduce(addCounts, 0);
  return (
    <ul class="beside" aria-label="Calls">
      {[...targets]
        .sort((a, b) => descending(a[1], b[1]))
        .map(([name, count]) => (
          <li key={name}>
            calls <NumberedLink profile={profile} name={name} /> {formatCount(count)}
            {targets.size > 1 && <span class="share"> {formatRatio(ratio(count, all))}</span>}
          </li>
        ))}
    </ul>
  );
}

interface InlinedProps {
  call: Body['inlined'][number];
  profile: Profile;
  isOpen: boolean;
  onClick: () => void;
}

/** Shows a call that was inlined. A click opens the lines of the callee below. */
function InlinedButton({ call: { discriminator, body }, profile, isOpen, onClick }: InlinedProps) {
  const total = formatCount(body.total);
  return (
    <div class="inlined">
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={onClick}
        title={`${total} samples of its instructions`}
      >
        <span aria-hidden="true">{isOpen ? '▾' : '▸'}</span> inlined{' '}
        <span class="name">{profile.shown(body.name)}</span>{' '}
        {discriminator !== 0 && <span class="discriminator">.{discriminator}</span>} {total}
      </button>
    </div>
  );
}
