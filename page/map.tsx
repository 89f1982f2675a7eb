import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { formatCount, formatRatio } from './count.js';
import {
  follow,
  type Grouping,
  inlineTree,
  isSmallerParts,
  layOut,
  MIN_LABELLED_WIDTH,
  type Part,
  pathToLargest,
  programTree,
  type Tile,
} from './hierarchy.js';
import type { FunctionRow, Profile } from './model.js';
import { hrefTo } from './route.js';

/** Height of the map as a share of its width, and least height in pixels. */
const ASPECT = 0.56;
const MIN_HEIGHT = 420;
/** Meaning of the colours of parts, the coldest first. */
const HEATS = [
  'cold',
  'warm',
  'hot, of the first 99 %',
  'hot, of the first 90 %',
  'hot, of the first 50 % of all counts',
];
/** Number of parts in the list below the map. */
const LISTED = 20;

interface MapProps {
  profile: Profile;
  /** `files` or `namespaces`; empty if the address gives neither. */
  grouping: string;
  /** Steps from the root to the part that is shown, as in the address. */
  steps: readonly string[];
}

/**
 * Shows the samples as areas: folders, files, functions, and code that is inlined into them. A click opens a part.
 */
export function WeightMap({ profile, grouping: asked, steps: given }: MapProps) {
  const hasFiles = profile.packed.places.length > 0;
  const hasNamespaces = profile.functions.some(({ shown }) => shown.includes('::'));
  const grouping: Grouping =
    asked === 'files' || asked === 'namespaces' ? asked : hasFiles ? 'files' : 'namespaces';
  const tree = useMemo(() => programTree(profile, grouping), [profile, grouping]);
  // If the address gives no grouping, the map opens where it branches.
  const steps = useMemo(() => (asked === '' ? pathToLargest(tree) : given), [tree, asked, given]);
  const trail = useMemo(() => follow(tree, steps), [tree, steps]);
  const inFunction = trail.findIndex((part) => part.row !== undefined);
  const row = trail[inFunction]?.row;
  const inside = useInlineTree(profile, row);
  const full =
    inside === undefined
      ? trail
      : [...trail.slice(0, inFunction), ...follow(inside, steps.slice(inFunction))];
  const shown = full.at(-1) ?? tree;
  const enter = (way: readonly string[], by: Grouping = grouping) => {
    location.hash = hrefTo(profile.id, 'map', by, way);
  };
  return (
    <>
      <h1 class="hidden">Map of the samples</h1>
      <div class="tools">
        <Trail trail={full} hrefOf={(depth) => hrefTo(profile.id, 'map', grouping, steps.slice(0, depth))} />
        {hasFiles && hasNamespaces && (
          <fieldset class="choice">
            <legend class="hidden">What contains functions</legend>
            {(['files', 'namespaces'] as const).map((value) => (
              <label key={value} class="check">
                <input
                  type="radio"
                  name="grouping"
                  checked={grouping === value}
                  onChange={() => enter(pathToLargest(programTree(profile, value)), value)}
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
        onEnter={(path) => enter([...steps, ...path])}
        onLeave={() => steps.length > 0 && enter(steps.slice(0, -1))}
        profile={profile}
      />
      <Legend profile={profile} />
      {row !== undefined && (
        <p>
          <a href={hrefTo(profile.id, 'function', row.name)}>Lines of {row.shown}</a>
        </p>
      )}
      <PartList
        part={shown}
        profile={profile}
        hrefOf={(key) => hrefTo(profile.id, 'map', grouping, [...steps, key])}
      />
    </>
  );
}

/** Returns the inlined code of a function as a tree, once its block is unpacked. */
function useInlineTree(profile: Profile, row: FunctionRow | undefined): Part | undefined {
  const [inside, setInside] = useState<{ row: FunctionRow; part: Part }>();
  useEffect(() => {
    let current = true;
    if (row !== undefined) {
      profile.detail(row).then(({ body }) => {
        if (current) setInside({ row, part: inlineTree(profile, body, row.shown, row.name) });
      });
    }
    return () => {
      current = false;
    };
  }, [profile, row]);
  return inside?.row === row ? inside?.part : undefined;
}

function Trail({ trail, hrefOf }: { trail: readonly Part[]; hrefOf: (depth: number) => string }) {
  return (
    <nav aria-label="Place in the map" class="trail">
      <ol>
        {trail.map((part, depth) => (
          <li key={`${depth}`}>
            {depth === trail.length - 1 ? (
              <span aria-current="location">{part.label}</span>
            ) : (
              <a href={hrefOf(depth)}>{part.label}</a>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}

interface TilesProps {
  part: Part;
  /** True while the contents of the part are being unpacked. */
  isLoading: boolean;
  profile: Profile;
  onEnter: (path: string[]) => void;
  onLeave: () => void;
}

function Tiles({ part, isLoading, profile, onEnter, onLeave }: TilesProps) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [active, setActive] = useState(0);
  const hadFocus = useRef(false);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    setWidth(element.clientWidth);
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const height = Math.max(MIN_HEIGHT, Math.round(width * ASPECT));
  const tiles = useMemo(() => (width > 0 ? layOut(part, width, height) : []), [part, width, height]);
  const focus = (index: number) => {
    setActive(index);
    (box.current?.children[index] as HTMLElement | undefined)?.focus({ preventScroll: true });
  };
  useLayoutEffect(() => {
    setActive(0);
    // The tile that was clicked has gone, so the focus goes to the first of the new tiles.
    if (hadFocus.current && tiles.length > 0) {
      hadFocus.current = false;
      focus(0);
    }
  }, [tiles]);
  const onKeyDown = (event: KeyboardEvent) => {
    const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (move !== undefined) focus((active + move + tiles.length) % tiles.length);
    else if (event.key === 'Escape' || event.key === 'Backspace') {
      hadFocus.current = true;
      onLeave();
    } else return;
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
          onClick={() => {
            hadFocus.current = true;
            onEnter(tile.path);
          }}
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

function TileButton({ tile: { part, x, y, width, height, isGroup }, share, tabIndex, onClick }: TileProps) {
  const wide = width > MIN_LABELLED_WIDTH && height > 14;
  return (
    <button
      type="button"
      class={`tile heat-${part.heat} ${isGroup ? 'group' : isSmallerParts(part) ? 'rest' : ''}`}
      style={{ left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` }}
      title={`${part.label}: ${share}`}
      tabIndex={tabIndex}
      onClick={onClick}
    >
      {/* Text without room on the tile is there for screen readers. */}
      <span class={wide ? 'label' : 'hidden'}>{part.label}</span>{' '}
      <span class={wide && width > 120 && (height > 34 || isGroup) ? 'share' : 'hidden'}>{share}</span>{' '}
      <span class="hidden">{HEATS[part.heat]}</span>
    </button>
  );
}

function Legend({ profile }: { profile: Profile }) {
  return (
    <p class="note legend">
      The larger an area, the more samples it has; all of {profile.id} is 100 %. A click leads into a part.{' '}
      <span>The colour is that of the largest count in it:</span>
      {HEATS.map((label, heat) => (
        <span key={label}>
          <span class={`swatch heat-${heat}`} aria-hidden="true" /> {label}
        </span>
      )).reverse()}
    </p>
  );
}

/** Shows the map as a list, for readers who cannot use areas, and for paper. */
function PartList({
  part,
  profile,
  hrefOf,
}: {
  part: Part;
  profile: Profile;
  hrefOf: (key: string) => string;
}) {
  const more = part.parts.length - LISTED;
  if (part.parts.length === 0) return null;
  return (
    <details class="parts" open>
      <summary>
        {more > 0 ? `Largest ${LISTED} of ${formatCount(part.parts.length)} parts` : 'Parts'} of {part.label}
      </summary>
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
                <a class="name" href={hrefOf(inner.key)}>
                  {inner.label}
                </a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
