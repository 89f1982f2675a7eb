/** What the value of a flag becomes, by the kind of the flag. */
export interface KindValues {
  boolean: boolean;
  string: string;
  /** One of the words in `choices`. */
  choice: string;
  /** A whole number that a JavaScript number holds exactly. */
  integer: number;
  /** A whole number of up to 64 bits. */
  u64: bigint;
  number: number;
  /** A number from 0 to 100, with or without a percent sign. */
  percent: number;
  list: string[];
  integers: number[];
  /** First and last nanosecond. */
  time: [bigint, bigint];
}

/** How the value of a flag is read. */
export type FlagKind = keyof KindValues;

/** Sections of `--help`, in its order. */
export const FLAG_GROUPS = [
  'Input',
  'Output',
  'Samples',
  'Contexts',
  'Profile',
  'Checks',
  'Code',
  'Run',
] as const;

export type FlagGroup = (typeof FLAG_GROUPS)[number];

/**
 * What giving the flag does: `set` sets an option, `ignore` accepts a flag of LLVM's tools that has no effect on
 * what this program does, `refuse` names one that would change the result and is not supported.
 */
export type FlagEffect = 'set' | 'ignore' | 'refuse';

/**
 * The definition of an option. Parsing, the help, the checks of the library and the list of its option names derive
 * from it; the key in the table that holds it is the name of the library's option.
 */
export interface Flag<K extends FlagKind = FlagKind> {
  /** As LLVM's tools spell it, without dashes. */
  readonly name: string;
  /** Other spellings; one of a single letter is used with one dash. */
  readonly aliases?: readonly string[];
  readonly kind: K;
  readonly effect: FlagEffect;
  readonly group: FlagGroup;
  /** Placeholder for the value in help. */
  readonly value?: string;
  /** Allowed values. */
  readonly choices?: readonly string[];
  /** Least number that is allowed; 0 where it is not said. */
  readonly least?: number;
  /** Largest number that is allowed. */
  readonly most?: number;
  /** Default, as text for help. */
  readonly default?: string;
  /** One sentence for help; for `refuse`, what to do instead. */
  readonly doc: string;
}

/** A flag whose value is one of a few words. */
export type ChoiceFlag<C extends string = string> = Flag<'choice'> & { readonly choices: readonly C[] };

/** An option that takes an object or a function of the caller, which is checked where it is used. */
export const NO_FLAG = 'no flag';

/** An option of the library that the command line sets in its own way; what it takes is checked like the value of a flag. */
export type Unflagged<K extends FlagKind = FlagKind> = Pick<
  Flag<K>,
  'kind' | 'choices' | 'least' | 'most'
> & {
  readonly effect: 'none';
};

/** Flags by the name of what they set. */
export type FlagTable = Readonly<Record<string, Flag | Unflagged | typeof NO_FLAG>>;

/** The kind of flag that can set an option of type `V`. */
type KindFor<V> = [V] extends [boolean]
  ? 'boolean'
  : [V] extends [string]
    ? 'string'
    : [V] extends [number]
      ? 'integer' | 'number' | 'percent'
      : [V] extends [number | bigint]
        ? 'u64'
        : [V] extends [string | readonly string[]]
          ? 'list'
          : [V] extends [number | readonly number[]]
            ? 'integers'
            : [V] extends [readonly [bigint, bigint]]
              ? 'time'
              : never;

type FlagFor<V> = [V] extends [string]
  ? string extends V
    ? Flag<'string'> | Unflagged<'string'>
    : ChoiceFlag<V>
  : Flag<KindFor<V>> | Unflagged<KindFor<V>>;

/**
 * A table with a definition for every option in `T`. The compiler refuses one that is missing, one too many, and one
 * whose kind does not give the type of the option.
 */
export type OptionTable<T> = {
  readonly [K in keyof T]-?: FlagFor<Exclude<T[K], undefined>> | typeof NO_FLAG;
};

/** What a flag sets. */
export type ValueOf<F> = F extends ChoiceFlag<infer C> ? C : F extends Flag<infer K> ? KindValues[K] : never;

/** What the flags in a table set; those that were not given are missing. */
export type ValuesOf<T> = {
  -readonly [K in keyof T as T[K] extends Flag ? K : never]?: ValueOf<T[K]>;
};

type More = Partial<Omit<Flag, 'name' | 'kind' | 'group' | 'doc' | 'choices'>>;

/** A flag that sets an option. */
export function flag<K extends Exclude<FlagKind, 'choice'>>(
  group: FlagGroup,
  kind: K,
  name: string,
  doc: string,
  more: More = {},
): Flag<K> {
  return { group, kind, name, doc, effect: 'set', ...more };
}

/** A flag whose value is one of `choices`. */
export function choice<C extends string>(
  group: FlagGroup,
  choices: readonly C[],
  name: string,
  doc: string,
  more: More = {},
): ChoiceFlag<C> {
  return { group, kind: 'choice', name, doc, effect: 'set', value: 'NAME', ...more, choices };
}

/** An option of this kind without a flag, in the range of `range`. */
export function unflagged<K extends FlagKind>(
  kind: K,
  { least, most }: Pick<Flag, 'least' | 'most'> = {},
): Unflagged<K> {
  return { kind, effect: 'none', ...(least !== undefined && { least }), ...(most !== undefined && { most }) };
}

/** The flag of an option, if it has one. */
export function flagOf(option: FlagTable[string]): Flag | undefined {
  return option === NO_FLAG || option.effect === 'none' ? undefined : option;
}

/** Flags that LLVM's tools have and that change nothing here. */
export function ignored(kind: 'boolean' | 'string', ...names: string[]): Flag[] {
  return names.map((name) =>
    flag('Run', kind, name, 'Accepted for scripts; has no effect here.', { effect: 'ignore' }),
  );
}

/** A flag that LLVM's tools have and that would change the result; `doc` says what to do instead. */
export function refused(kind: 'boolean' | 'string', name: string, doc: string, more: More = {}): Flag {
  return flag('Run', kind, name, doc, { ...more, effect: 'refuse' });
}

/** The flags in tables, in the order of the tables. */
export function flagsOf(...tables: readonly FlagTable[]): Flag[] {
  return tables
    .flatMap((table) => Object.values(table))
    .map(flagOf)
    .filter((flag) => flag !== undefined);
}
