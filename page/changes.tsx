import type { FunctionChange, TargetShift } from '../src/compare-profiles.js';
import type { WithPackedCounts } from '../src/profile-report/page-format.js';
import { formatCount, formatRatio } from './count.js';
import { clipped, type FunctionRow, type Profile } from './model.js';
import { FunctionLink, Section } from './parts.js';

/** Number of rows in each list. */
const LISTED = 100;

/** Shows the changes since the base profile. */
export function Changes({ profile }: { profile: Profile }) {
  const { comparison } = profile.packed;
  if (comparison === undefined) {
    return (
      <>
        <h1>Changes</h1>
        <p>There is nothing to compare with: the report was made without --base.</p>
      </>
    );
  }
  const { similarity, samples, functions, hotFunctions, hotBlocks, gained, lost, changed, targetShifts } =
    comparison.result;
  const facts: [string, number, string][] = [
    ['Similarity', similarity, 'of the whole profiles'],
    ['Overlap of samples', samples.overlap, 'are at the same places'],
    ['Overlap of functions', functions.overlap, `${formatCount(functions.common)} are in both`],
    ['Overlap of hot functions', hotFunctions.overlap, `${formatCount(hotFunctions.common)} are hot in both`],
    ['Overlap of hot lines', hotBlocks.overlap, `${formatCount(hotBlocks.common)} are hot in both`],
    ['Gone', samples.baseUniqueShare, 'of the base samples are where nothing is sampled now'],
    ['New', samples.testUniqueShare, 'of the samples are where the base has none'],
  ];
  return (
    <>
      <h1>Changes since {comparison.path}</h1>
      <dl class="facts">
        {facts.map(([name, share, note]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <span class="value">{formatRatio(share)}</span>
              <span class="note">{note}</span>
            </dd>
          </div>
        ))}
      </dl>
      <p class="note">
        Base and now are shares of the counts of all lines, inlined code included. A profile is stale where
        places are gone or new: the compiler finds no counts for code that has changed since.
      </p>
      <List title="Changed most" profile={profile} changes={changed} />
      <List
        title="Gained"
        note="These functions have no code of their own in the base profile."
        profile={profile}
        changes={gained}
      />
      <List
        title="Lost"
        note="These functions have no code of their own any more."
        profile={profile}
        changes={lost}
      />
      <Shifts profile={profile} shifts={targetShifts} />
    </>
  );
}

function List({
  title,
  note,
  profile,
  changes,
}: {
  title: string;
  note?: string;
  profile: Profile;
  changes: readonly WithPackedCounts<FunctionChange>[];
}) {
  if (changes.length === 0) return null;
  return (
    <Section title={title}>
      {note && <p class="note">{note}</p>}
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Function</th>
            <th scope="col" class="number">
              Base
            </th>
            <th scope="col" class="number">
              Now
            </th>
            <th scope="col" class="number">
              Similarity
            </th>
          </tr>
        </thead>
        <tbody>
          {changes.slice(0, LISTED).map(({ name, baseWeight, testWeight, similarity }) => (
            <tr key={name}>
              <td>
                <FunctionLink profile={profile} name={name} shown={shownName(profile, name)} />
                <OnlyInlinedNote row={profile.find(name)} />
              </td>
              <td class="number">{formatRatio(baseWeight)}</td>
              <td class="number">{formatRatio(testWeight)}</td>
              <td class="number">{formatRatio(similarity)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {changes.length > LISTED && (
        <p class="note">{formatCount(changes.length - LISTED)} more are not listed.</p>
      )}
    </Section>
  );
}

/** Tells that a function now has samples only where it is inlined. */
function OnlyInlinedNote({ row }: { row: FunctionRow | undefined }) {
  if (row === undefined || Number(row.total) > 0 || row.copies === 0) return null;
  return <span class="note">now inlined, with {formatCount(row.inlinedTotal)} samples</span>;
}

/** Returns a name in the comparison as people read it. The name may be missing in this profile. */
function shownName(profile: Profile, name: string): string {
  const shown = profile.packed.comparison?.shown.find(([mangled]) => mangled === name)?.[1];
  return profile.find(name)?.shown ?? clipped(shown ?? name);
}

function Shifts({ profile, shifts }: { profile: Profile; shifts: readonly WithPackedCounts<TargetShift>[] }) {
  if (shifts.length === 0) return null;
  return (
    <Section title="Calls that go elsewhere">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Call</th>
            <th scope="col" class="number">
              Moved
            </th>
            <th scope="col">Targets</th>
          </tr>
        </thead>
        <tbody>
          {shifts.slice(0, LISTED).map(({ place, shift, targets }) => (
            <tr key={place}>
              <td class="name">{shownName(profile, place)}</td>
              <td class="number">{formatRatio(shift)}</td>
              <td>
                {targets.slice(0, 3).map(({ name, base, test }) => (
                  <div key={name}>
                    <FunctionLink profile={profile} name={name} shown={shownName(profile, name)} />{' '}
                    {formatRatio(base)} → {formatRatio(test)}
                  </div>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}
