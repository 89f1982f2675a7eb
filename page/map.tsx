import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { formatRatio } from './count.js';
import {
  type Grouping,
  inlineTree,
  layOut,
  type Part,
  programTree,
  type Tile,
  wayToMost,
} from './hierarchy.js';
import type { Profile } from './model.js';
import { hrefTo } from './route.js';

/** Height of the map as a part of its width, and its least height in pixels. */
const ASPECT = 0.56;
const LEAST_HEIGHT = 420;
/** Parts that the list below the map has. */
const LISTED = 20;

/** Where the samples are, as areas: folders, files, functions, and what is inlined into them. A click leads into a part. */
export function WeightMap({ profile }: { profile: Profile }) {
  const hasFiles = profile.packed.places.length > 0;
  const hasNamespaces = profile.packed.shown.some(([, shown]) => shown.includes('::'));
  const [grouping, setGrouping] = useState<Grouping>(hasFiles ? 'files' : 'namespaces');
  const tree = useMemo(() => programTree(profile, grouping), [profile, grouping]);
  const [steps, setSteps] = useState<string[]>(() => wayToMost(tree));
  const trail = useMemo(() => follow(tree, steps), [tree, steps]);
  const [inside, setInside] = useState<Part>();
  const last = trail.at(-1) ?? tree;
  const row = trail.find((part) => part.row !== undefined)?.row;
  useEffect(() => {
    let current = true;
    setInside(undefined);
    if (row !== undefined) {
      profile.detail(row).then(({ body }) => {
        if (current) setInside(inlineTree(profile, body, row.shown, row.name));
      });
    }
    return () => {
      current = false;
    };
  }, [profile, row]);
  const below = row === undefined ? [] : steps.slice(trail.findIndex((part) => part.row !== undefined));
  const full =
    row === undefined || inside === undefined ? trail : [...trail.slice(0, -1), ...follow(inside, below)];
  const shown = full.at(-1) ?? last;
  const choose = (value: Grouping) => {
    setGrouping(value);
    setSteps(wayToMost(programTree(profile, value)));
  };
  return (
    <>
      <h1 class="hidden">Map of the samples</h1>
      <div class="tools">
        <Trail trail={full} onChoose={(depth) => setSteps(steps.slice(0, depth))} />
        {hasFiles && hasNamespaces && (
          <fieldset class="choice">
            <legend class="hidden">What contains functions</legend>
            {(['files', 'namespaces'] as const).map((value) => (
              <label key={value} class="check">
                <input
                  type="radio"
                  name="grouping"
                  checked={grouping === value}
                  onChange={() => choose(value)}
                />
                by {value === 'files' ? 'file' : 'namespace'}
              </label>
            ))}
          </fieldset>
        )}
      </div>
      <Tiles
        part={shown}
        isLoading={row !== undefined && inside === undefined}
        onEnter={(path) => setSteps([...steps, ...path])}
        onLeave={() => setSteps(steps.slice(0, -1))}
        profile={profile}
      />
      <Legend />
      {row !== undefined && (
        <p>
          <a href={hrefTo(profile.id, 'function', row.name)}>Lines of {row.shown}</a>
        </p>
      )}
      <PartList part={shown} profile={profile} onEnter={(key) => setSteps([...steps, key])} />
    </>
  );
}

/** From the root to the part that steps lead to, as far as they do. */
function follow(root: Part, steps: readonly string[]): Part[] {
  const trail = [root];
  for (const step of steps) {
    const next = trail.at(-1)?.parts.find(({ key }) => key === step);
    if (next === undefined) break;
    trail.push(next);
  }
  return trail;
}

function Trail({ trail, onChoose }: { trail: readonly Part[]; onChoose: (depth: number) => void }) {
  return (
    <nav aria-label="Place in the map" class="trail">
      <ol>
        {trail.map((part, depth) => (
          <li key={part.key}>
            {depth === trail.length - 1 ? (
              <span aria-current="location">{part.label}</span>
            ) : (
              <button type="button" class="link" onClick={() => onChoose(depth)}>
                {part.label}
              </button>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}

interface TilesProps {
  part: Part;
  /** What is inside of the part is being unpacked. */
  isLoading: boolean;
  profile: Profile;
  onEnter: (path: string[]) => void;
  onLeave: () => void;
}

function Tiles({ part, isLoading, profile, onEnter, onLeave }: TilesProps) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [active, setActive] = useState(0);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    setWidth(element.clientWidth);
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const height = Math.max(LEAST_HEIGHT, Math.round(width * ASPECT));
  const tiles = useMemo(() => (width > 0 ? layOut(part, width, height) : []), [part, width, height]);
  useEffect(() => setActive(0), [part]);
  const focus = (index: number) => {
    setActive(index);
    (box.current?.children[index] as HTMLElement | undefined)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (move !== undefined) focus((active + move + tiles.length) % tiles.length);
    else if (event.key === 'Escape' || event.key === 'Backspace') onLeave();
    else return;
    event.preventDefault();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys that move among the buttons inside
    <div class="map" ref={box} style={{ height: `${height}px` }} onKeyDown={onKeyDown}>
      {part.parts.length === 0 && !isLoading && <p class="empty">Nothing is inlined here.</p>}
      {tiles.map((tile, index) => (
        <TileButton
          key={tile.path.join('\n')}
          tile={tile}
          share={formatRatio(profile.share(tile.part.weight))}
          tabIndex={index === active ? 0 : -1}
          onClick={() => onEnter(tile.path)}
        />
      ))}
    </div>
  );
}

interface TileProps {
  tile: Tile;
  share: string;
  tabIndex: number;
  onClick: () => void;
}

function TileButton({
  tile: { part, x, y, width, height, depth, isGroup },
  share,
  tabIndex,
  onClick,
}: TileProps) {
  const wide = width > 46 && height > 14;
  return (
    <button
      type="button"
      class={`tile ${part.temperature} ${isGroup ? 'group' : ''} depth-${depth}`}
      style={{ left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` }}
      title={`${part.label}: ${share}`}
      tabIndex={tabIndex}
      onClick={onClick}
    >
      {/* What has no room is there for screen readers. */}
      <span class={wide ? 'label' : 'hidden'}>{part.label}</span>{' '}
      <span class={wide && width > 120 && (height > 34 || isGroup) ? 'share' : 'hidden'}>{share}</span>{' '}
      <span class="hidden">{part.temperature}</span>
    </button>
  );
}

function Legend() {
  return (
    <p class="note legend">
      An area is as large as its samples.
      {(['hot', 'warm', 'cold'] as const).map((of) => (
        <span key={of}>
          <span class={`swatch ${of}`} aria-hidden="true" /> {of}
        </span>
      ))}
    </p>
  );
}

/** The same as a list, for those who cannot use areas, and for paper. */
function PartList({
  part,
  profile,
  onEnter,
}: {
  part: Part;
  profile: Profile;
  onEnter: (key: string) => void;
}) {
  return (
    <details class="parts" open>
      <summary>Largest parts of {part.label}</summary>
      <table class="plain">
        <thead class="hidden">
          <tr>
            <th scope="col">Share</th>
            <th scope="col">Part</th>
          </tr>
        </thead>
        <tbody>
          {part.parts.slice(0, LISTED).map((inner) => (
            <tr key={inner.key}>
              <td class="number">{formatRatio(profile.share(inner.weight))}</td>
              <td>
                <button type="button" class="link name" onClick={() => onEnter(inner.key)}>
                  {inner.label}
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
