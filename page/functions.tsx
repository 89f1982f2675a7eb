import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { type Count, descending, formatCount, formatRatio, largerCount, ratio } from './count.js';
import { clipped, type FunctionRow, type Profile } from './model.js';
import { Bar, FunctionLink, placeText, TemperatureMark } from './parts.js';
import { hrefTo, replaceRoute } from './route.js';
import { usePrinting, useVirtualRows } from './virtual.js';

/** Height of a row in pixels, as in the style sheet. */
const ROW_HEIGHT = 30;
/** Largest number of rows on paper. */
const MAX_PRINTED = 300;

type Key =
  | 'name'
  | 'total'
  | 'self'
  | 'head'
  | 'inlined'
  | 'copies'
  | 'callers'
  | 'callees'
  | 'base'
  | 'place';

/** State in which a list was left. Going back restores the same rows. */
interface ListState {
  sort: { key: Key; reverse: boolean };
  mangled: boolean;
  text: string;
  /** Scroll position of the list in pixels. */
  top: number;
}

const keptStates = new WeakMap<Profile, ListState>();

interface Column {
  key: Key;
  label: string;
  title: string;
  /** Order of the rows. Numbers are sorted from the largest on, texts from the first letter on. */
  order: (a: FunctionRow, b: FunctionRow) => number;
}

function byCount(of: (row: FunctionRow) => Count): Column['order'] {
  return (a, b) => descending(of(a), of(b));
}

function byNumber(of: (row: FunctionRow) => number): Column['order'] {
  return (a, b) => of(b) - of(a);
}

function byText(of: (row: FunctionRow) => string): Column['order'] {
  return (a, b) => (of(a) < of(b) ? -1 : of(a) > of(b) ? 1 : 0);
}

function columnsOf(profile: Profile, mangled: boolean): Column[] {
  const { comparison } = profile.packed;
  const change = (row: FunctionRow) => profile.share(row.total) - baseShare(profile, row);
  const columns: Column[] = [
    {
      key: 'total',
      label: 'Total',
      title: 'Samples of its instructions, with code that is inlined into it',
      order: byCount((row) => row.total),
    },
    {
      key: 'self',
      label: 'Self',
      title: 'Sum of the counts of its own lines',
      order: byCount((row) => row.self),
    },
    { key: 'head', label: 'Entered', title: 'How often it was entered', order: byCount((row) => row.head) },
    {
      key: 'inlined',
      label: 'Inlined',
      title: 'Samples of copies that are inlined into others',
      order: byCount((row) => row.inlinedTotal),
    },
    {
      key: 'copies',
      label: 'Copies',
      title: 'Inlined copies that have samples',
      order: byNumber((row) => row.copies),
    },
    {
      key: 'callers',
      label: 'Callers',
      title: 'Functions that call it or have it inlined',
      order: byNumber((row) => row.callers),
    },
    {
      key: 'callees',
      label: 'Calls',
      title: 'Functions that it calls or has inlined',
      order: byNumber((row) => row.callees),
    },
    {
      key: 'name',
      label: 'Function',
      title: 'Name',
      order: byText(mangled ? (row) => row.name : (row) => row.shown),
    },
    {
      key: 'place',
      label: 'Declared in',
      title: 'File and line',
      order: byPlace,
    },
  ];
  if (comparison !== undefined) {
    columns.splice(1, 0, {
      key: 'base',
      label: 'Change, pp',
      title: 'Change of its share of all samples since the base profile, in percentage points',
      order: (a, b) => Math.abs(change(b)) - Math.abs(change(a)),
    });
  }
  return columns.filter(({ key }) => key !== 'place' || profile.packed.places.length > 0);
}

/** Compares functions by file, then by line. Functions without a known place come last. */
function byPlace({ place: a }: FunctionRow, { place: b }: FunctionRow): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  if (a.file === b.file) return a.line - b.line;
  return a.file < b.file ? -1 : 1;
}

function baseShare(profile: Profile, { base }: FunctionRow): number {
  return ratio(base ?? 0, Number(profile.packed.comparison?.totalSamples ?? 0));
}

/** Shows all functions in a table that can be sorted and searched, with one row for each function. */
export function Functions({ profile, search }: { profile: Profile; search: string }) {
  const before = keptStates.get(profile);
  const [text, setText] = useState(search);
  const [sort, setSort] = useState<ListState['sort']>(before?.sort ?? { key: 'total', reverse: false });
  const [mangled, setMangled] = useState(before?.mangled ?? false);
  const top = useRef(before?.text === search ? before.top : 0);
  useEffect(() => {
    keptStates.set(profile, { sort, mangled, text, top: top.current });
  }, [profile, sort, mangled, text]);
  useEffect(() => setText(search), [search]);
  const columns = useMemo(() => columnsOf(profile, mangled), [profile, mangled]);
  const sorted = useMemo(() => {
    const column = columns.find(({ key }) => key === sort.key);
    const rows = column === undefined ? profile.functions : profile.functions.toSorted(column.order);
    return sort.reverse ? rows.reverse() : rows;
  }, [profile, columns, sort]);
  const rows = useMemo(() => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    return words.length === 0
      ? sorted
      : sorted.filter(({ haystack }) => words.every((word) => haystack.includes(word)));
  }, [sorted, text]);
  const onInput = (event: Event) => {
    const { value } = event.currentTarget as HTMLInputElement;
    setText(value);
    replaceRoute(hrefTo(profile.id, 'functions', value));
  };
  const hasMangled = profile.packed.shown.length > 0;
  return (
    <div class="functions">
      <h1 class="hidden">Functions</h1>
      <div class="tools">
        <SearchField
          value={text}
          onInput={onInput}
          onEnter={() => {
            const [first] = rows;
            if (first !== undefined) location.hash = hrefTo(profile.id, 'function', first.name);
          }}
        />
        {hasMangled && (
          <label class="check">
            <input
              type="checkbox"
              checked={mangled}
              onChange={(event) => setMangled(event.currentTarget.checked)}
            />
            Mangled names
          </label>
        )}
        <span class="found" role="status">
          {rows.length < profile.functions.length && `${formatCount(rows.length)} of `}
          {profile.functions.length === 1
            ? '1 function'
            : `${formatCount(profile.functions.length)} functions`}
        </span>
      </div>
      <Table
        profile={profile}
        rows={rows}
        columns={columns}
        sort={sort}
        mangled={mangled}
        top={top.current}
        onScroll={(now) => {
          top.current = now;
          keptStates.set(profile, { sort, mangled, text, top: now });
        }}
        onSort={(key) => setSort({ key, reverse: key === sort.key && !sort.reverse })}
      />
    </div>
  );
}

interface SearchProps {
  value: string;
  onInput: (event: Event) => void;
  /** Opens the first function that the search found. */
  onEnter: () => void;
}

function SearchField({ value, onInput, onEnter }: SearchProps) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && event.target.matches('input, select, textarea');
      if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      field.current?.focus();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  return (
    <label class="search">
      <span class="hidden">Search functions and files</span>
      <input
        ref={field}
        type="search"
        value={value}
        onInput={onInput}
        onKeyDown={(event) => event.key === 'Enter' && onEnter()}
        placeholder="Search functions and files  ( / )"
        autocomplete="off"
        spellcheck={false}
      />
    </label>
  );
}

interface TableProps {
  profile: Profile;
  rows: readonly FunctionRow[];
  columns: readonly Column[];
  sort: { key: Key; reverse: boolean };
  mangled: boolean;
  /** Scroll position at the start in pixels. */
  top: number;
  onScroll: (top: number) => void;
  onSort: (key: Key) => void;
}

/**
 * Shows a table made of elements with roles. Rows of a real table could not be placed at the position to which the
 * box was scrolled.
 */
function Table({ profile, rows, columns, sort, mangled, top, onScroll, onSort }: TableProps) {
  const box = useRef<HTMLDivElement>(null);
  const printing = usePrinting();
  const { items, height } = useVirtualRows(box, rows.length, ROW_HEIGHT);
  const shownBefore = useRef(false);
  useLayoutEffect(() => {
    box.current?.scrollTo(0, shownBefore.current ? 0 : top);
    shownBefore.current = true;
  }, [rows]);
  const most = useMemo(
    () => profile.functions.reduce<Count>((max, { total }) => largerCount(max, total), 0),
    [profile],
  );
  const shown = printing
    ? rows.slice(0, MAX_PRINTED).map((row, index) => ({ row, index, start: undefined }))
    : items.flatMap(({ index, start }) => {
        const row = rows[index];
        return row === undefined ? [] : [{ row, index, start }];
      });
  // The height includes the head, and a horizontal scroll bar.
  const all = ROW_HEIGHT * (Math.max(1, rows.length) + 1) + 18;
  const widths = useMemo(() => numberWidths(profile, columns), [profile, columns]);
  const slots = 2 ** Math.ceil(Math.log2(shown.length + 1));
  return (
    <div
      class="scroll"
      ref={box}
      style={printing ? undefined : { minHeight: `${Math.min(320, all)}px`, maxHeight: `${all}px` }}
      onScroll={(event) => onScroll(event.currentTarget.scrollTop)}
    >
      <div
        role="table"
        aria-label="Functions"
        aria-rowcount={rows.length + 1}
        class={`grid ${columns.some(({ key }) => key === 'place') ? 'placed' : ''}`}
        style={{ '--numbers': widths }}
      >
        <HeadRow columns={columns} sort={sort} onSort={onSort} />
        <div role="rowgroup" class="rows" style={printing ? undefined : { height: `${height}px` }}>
          {shown.map(({ row, index, start }) => (
            <div
              // A row reuses the elements of a row that has left the screen, and keeps its own elements while it
              // is visible, so that the focus stays.
              key={index % slots}
              role="row"
              class="row"
              aria-rowindex={index + 2}
              style={start === undefined ? undefined : { transform: `translateY(${start}px)` }}
            >
              {columns.map(({ key }) => (
                <Cell key={key} of={key} profile={profile} row={row} most={most} mangled={mangled} />
              ))}
            </div>
          ))}
        </div>
      </div>
      {printing && rows.length > MAX_PRINTED && (
        <p class="empty">
          {formatCount(rows.length - MAX_PRINTED)} more functions are left out on paper; a search makes the
          list shorter.
        </p>
      )}
      {rows.length === 0 && <p class="empty">No function has all of these words in its name or file.</p>}
    </div>
  );
}

/** Widths in pixels of a digit, of a letter in a heading, and of the space around them. */
const DIGIT = 10;
const LETTER = 7;
const BESIDE = 20;
/** Width in pixels of the arrow at the column by which a list is sorted. */
const ARROW = 10;

/**
 * Returns the widths of the columns of numbers between the first column and the names. Each is as wide as its
 * largest number or its heading needs.
 */
function numberWidths(profile: Profile, columns: readonly Column[]): string {
  const most = (of: (row: FunctionRow) => Count) =>
    profile.functions.reduce<Count>((max, row) => largerCount(max, of(row)), 0);
  const largest = ({ key }: Column): Count | undefined => {
    switch (key) {
      case 'self':
      case 'head':
      case 'copies':
      case 'callers':
      case 'callees':
        return most((row) => row[key]);
      case 'inlined':
        return most((row) => row.inlinedTotal);
      case 'base':
        return 0;
      default:
        return undefined;
    }
  };
  return columns
    .flatMap((column) => {
      const count = largest(column);
      if (count === undefined) return [];
      // Commas are half as wide as digits.
      const digits = String(count).length + (formatCount(count).length - String(count).length) / 2;
      return [`${BESIDE + Math.max(digits * DIGIT, column.label.length * LETTER + ARROW)}px`];
    })
    .join(' ');
}

function HeadRow({ columns, sort, onSort }: Pick<TableProps, 'columns' | 'sort' | 'onSort'>) {
  return (
    <div role="rowgroup" class="head">
      <div role="row" class="row" aria-rowindex={1}>
        {columns.map(({ key, label, title }) => {
          const isText = key === 'name' || key === 'place';
          const ascending = isText !== sort.reverse;
          const order = sort.key === key ? (ascending ? 'ascending' : 'descending') : undefined;
          return (
            <div key={key} role="columnheader" class={`cell column-${key}`} aria-sort={order ?? 'none'}>
              <button type="button" onClick={() => onSort(key)} title={title}>
                {label}
                <span aria-hidden="true">{order === undefined ? '' : ascending ? ' ▲' : ' ▼'}</span>
              </button>
            </div>
          );
        })}
      </div>
    </div>
  );
}

interface CellProps {
  of: Key;
  profile: Profile;
  row: FunctionRow;
  most: Count;
  mangled: boolean;
}

function Cell({ of, profile, row, most, mangled }: CellProps) {
  return (
    <div role="cell" class={`cell column-${of}`}>
      <Content of={of} profile={profile} row={row} most={most} mangled={mangled} />
    </div>
  );
}

function Content({ of, profile, row, most, mangled }: CellProps) {
  switch (of) {
    case 'total':
      if (Number(row.total) === 0) return null;
      return (
        <>
          <Bar share={ratio(row.total, most)} kind={row.temperature} />
          <span class="share">{formatRatio(profile.share(row.total))}</span>
          <span class="count">{formatCount(row.total)}</span>
        </>
      );
    case 'self':
      return <>{Number(row.self) > 0 && formatCount(row.self)}</>;
    case 'head':
      return <>{Number(row.head) > 0 && formatCount(row.head)}</>;
    case 'inlined':
      return <>{row.copies > 0 && formatCount(row.inlinedTotal)}</>;
    case 'copies':
    case 'callers':
    case 'callees':
      return <>{row[of] > 0 && formatCount(row[of])}</>;
    case 'base':
      return <Change profile={profile} row={row} />;
    case 'name':
      return (
        <>
          <TemperatureMark of={row.temperature} />
          <FunctionLink profile={profile} name={row.name} shown={mangled ? clipped(row.name) : row.shown} />
        </>
      );
    case 'place':
      return <span title={row.place?.file}>{placeText(row)}</span>;
  }
}

function Change({ profile, row }: { profile: Profile; row: FunctionRow }) {
  if (row.base === null) return <>{Number(row.total) > 0 && 'new'}</>;
  const change = profile.share(row.total) - baseShare(profile, row);
  if (change === 0) return null;
  const sign = change > 0 ? '+' : change < 0 ? '−' : '';
  return (
    <>
      {sign}
      {formatRatio(Math.abs(change)).replace(' %', '')}
    </>
  );
}
