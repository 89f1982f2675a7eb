/** The type of a flag's value, for each kind of flag. */
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
  /** The first and the last time stamp, in nanoseconds. */
  time: [bigint, bigint];
}

/** The kind of a flag: how its value is read. */
export type FlagKind = keyof KindValues;

/** Sections of `--help`, in the order of the help. */
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
 * The effect of a flag. `set`: the flag sets an option. `ignore`: LLVM's tools have the flag; it is accepted and
 * has no effect on what this program does. `refuse`: the flag would change the result and is not supported.
 */
export type FlagEffect = 'set' | 'ignore' | 'refuse';

/**
 * The definition of an option. Parsing, the help, the checks of the library and its list of option names derive
 * from this definition. The key in the table is the name of the library's option.
 */
export interface Flag<K extends FlagKind = FlagKind> {
  /** Name of the flag as LLVM's tools spell it, without dashes. */
  readonly name: string;
  /** Other spellings. A spelling of a single letter is used with one dash. */
  readonly aliases?: readonly string[];
  readonly kind: K;
  readonly effect: FlagEffect;
  readonly group: FlagGroup;
  /** Placeholder for the value in the help. */
  readonly value?: string;
  /**
   * How one value names several files, as an instruction: `put the pattern in quotes`. Absent: it names one. The hint
   * about arguments without a flag has this text.
   */
  readonly several?: string;
  /** Allowed values. */
  readonly choices?: readonly string[];
  /** Least number that is allowed; default 0. */
  readonly least?: number;
  /** Largest number that is allowed. */
  readonly most?: number;
  /** Default, as text for the help. */
  readonly default?: string;
  /** One sentence for the help. For `refuse`: what to do instead. */
  readonly doc: string;
}

/** A flag whose value is one of a few words. */
export type ChoiceFlag<C extends string = string> = Flag<'choice'> & { readonly choices: readonly C[] };

/** Marks an option that takes an object or a function of the caller. The code that uses the value checks it. */
export const NO_FLAG = 'no flag';

/**
 * An option of the library that has no flag of its own. The command line sets it in another way. Its value is
 * checked like the value of a flag.
 */
export type Unflagged<K extends FlagKind = FlagKind> = Pick<
  Flag<K>,
  'kind' | 'choices' | 'least' | 'most'
> & {
  readonly effect: 'none';
};

/** Flags by the name of the option that they set. */
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
 * A table with a definition for every option in `T`. The compiler refuses a table with a missing definition, with
 * one too many, or with a definition whose kind does not fit the type of the option.
 */
export type OptionTable<T> = {
  readonly [K in keyof T]-?: FlagFor<Exclude<T[K], undefined>> | typeof NO_FLAG;
};

/** The type of the value that a flag sets. */
export type ValueOf<F> = F extends ChoiceFlag<infer C> ? C : F extends Flag<infer K> ? KindValues[K] : never;

/** The values that the flags of a table set. A flag that was not given has no property. */
export type ValuesOf<T> = {
  -readonly [K in keyof T as T[K] extends Flag ? K : never]?: ValueOf<T[K]>;
};

type More = Partial<Omit<Flag, 'name' | 'kind' | 'group' | 'doc' | 'choices'>>;

/** Makes a flag that sets an option. */
export function flag<K extends Exclude<FlagKind, 'choice'>>(
  group: FlagGroup,
  kind: K,
  name: string,
  doc: string,
  more: More = {},
): Flag<K> {
  return { group, kind, name, doc, effect: 'set', ...more };
}

/** Makes a flag whose value is one of `choices`. */
export function choice<C extends string>(
  group: FlagGroup,
  choices: readonly C[],
  name: string,
  doc: string,
  more: More = {},
): ChoiceFlag<C> {
  return { group, kind: 'choice', name, doc, effect: 'set', value: 'NAME', ...more, choices };
}

/** Makes an option without a flag, of the kind `kind`, with the given range. */
export function unflagged<K extends FlagKind>(
  kind: K,
  { least, most }: Pick<Flag, 'least' | 'most'> = {},
): Unflagged<K> {
  return { kind, effect: 'none', ...(least !== undefined && { least }), ...(most !== undefined && { most }) };
}

/** Returns the flag of an option, or `undefined` if the option has no flag. */
export function flagOf(option: FlagTable[string]): Flag | undefined {
  return option === NO_FLAG || option.effect === 'none' ? undefined : option;
}

/** Makes flags that LLVM's tools have and that have no effect in this program. */
export function ignored(kind: 'boolean' | 'string', ...names: string[]): Flag[] {
  return names.map((name) =>
    flag('Run', kind, name, 'Accepted for scripts; has no effect here.', { effect: 'ignore' }),
  );
}

/**
 * Makes a flag that LLVM's tools have and that is refused, because it would change the result. `doc` says what to
 * do instead.
 */
export function refused(kind: 'boolean' | 'string', name: string, doc: string, more: More = {}): Flag {
  return flag('Run', kind, name, doc, { ...more, effect: 'refuse' });
}

/** Returns the flags of the tables, in the order of the tables. */
export function flagsOf(...tables: readonly FlagTable[]): Flag[] {
  return tables
    .flatMap((table) => Object.values(table))
    .map(flagOf)
    .filter((flag) => flag !== undefined);
}
