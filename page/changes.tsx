import type { FunctionChange, TargetShift } from '../src/compare-profiles.js';
import { formatCount, formatRatio } from './count.js';
import type { Profile } from './model.js';
import { FunctionLink, Section } from './parts.js';

/** Rows of each list. */
const LISTED = 100;

/** What changed since the base profile. */
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
    ['Similarity', similarity, 'of the whole program'],
    ['Overlap of samples', samples.overlap, 'at the same places'],
    ['Overlap of functions', functions.overlap, `${formatCount(functions.common)} are in both`],
    ['Overlap of hot functions', hotFunctions.overlap, `${formatCount(hotFunctions.common)} are hot in both`],
    ['Overlap of hot lines', hotBlocks.overlap, `${formatCount(hotBlocks.common)} are hot in both`],
    ['Gone', samples.baseUniqueShare, 'of the base samples are at places without samples now'],
    ['New', samples.testUniqueShare, 'of the samples are at places without samples before'],
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
      <List title="Changed most" profile={profile} changes={changed} />
      <List title="Gained" profile={profile} changes={gained} />
      <List title="Lost" profile={profile} changes={lost} />
      <Shifts shifts={targetShifts} />
    </>
  );
}

function List({
  title,
  profile,
  changes,
}: {
  title: string;
  profile: Profile;
  changes: readonly FunctionChange[];
}) {
  if (changes.length === 0) return null;
  const shownOf = (name: string) => profile.find(name)?.shown ?? name;
  return (
    <Section title={title}>
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
                <FunctionLink profile={profile} name={name} shown={shownOf(name)} />
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

function Shifts({ shifts }: { shifts: readonly TargetShift[] }) {
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
              <td class="name">{place}</td>
              <td class="number">{formatRatio(shift)}</td>
              <td>
                {targets.slice(0, 3).map(({ name, base, test }) => (
                  <div key={name}>
                    <span class="name">{name}</span> {formatRatio(base)} → {formatRatio(test)}
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
