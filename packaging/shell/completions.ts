// Makes completions for bash, zsh and fish from the tables that define the command line.
import type { Flag } from '../../src/options/flag.js';
import { advertised, commands, spellings, takesValue, valueKind } from './commands.js';

const NAMES = commands.map(([name]) => name).join(' ');

/** Writes completions for bash 4 and later. */
export function bashCompletion(): string {
  const flags = commands.map(
    ([name, command]) => `    ${name}) flags='${advertised(command).flatMap(spellings).join(' ')}' ;;`,
  );
  // The words of a flag may differ between commands.
  const patterns = new Map<string, string[]>();
  for (const [name, command] of commands) {
    for (const flag of advertised(command).filter(takesValue)) {
      const words = bashWords(flag);
      const found = spellings(flag).map((spelling) => `'${name} ${spelling}'`);
      patterns.set(words, [...(patterns.get(words) ?? []), ...found]);
    }
  }
  const values = [...patterns].map(([words, found]) => `    ${found.join(' | ')}) replies=$(${words}) ;;`);
  return `# bash completion for autofdo-gen

_autofdo_gen() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} command=generate flags replies
  [[ " ${NAMES} " == *" \${COMP_WORDS[1]} "* ]] && command=\${COMP_WORDS[1]}
  # "--flag=value" comes as three words.
  [ "$current" = = ] && current=
  [ "$previous" = = ] && previous=\${COMP_WORDS[COMP_CWORD - 2]}
  case "$command $previous" in
${values.join('\n')}
    *)
      case $command in
${flags.map((line) => `    ${line}`).join('\n')}
      esac
      if [[ $current == -* ]]; then replies=$(compgen -W "$flags" -- "$current")
      elif [ "$COMP_CWORD" -eq 1 ]; then replies=$(compgen -W '${NAMES}' -- "$current")
      else replies=$(compgen -f -- "$current")
      fi ;;
  esac
  mapfile -t COMPREPLY <<< "$replies"
  [ -n "$replies" ] || COMPREPLY=()
}
complete -o filenames -F _autofdo_gen autofdo-gen
`;
}

/** Returns the command that prints bash's suggestions for the value of a flag. */
function bashWords(flag: Flag): string {
  const value = valueKind(flag);
  if (value === 'folder') return 'compgen -d -- "$current"';
  if (value === 'file') return 'compgen -f -- "$current"';
  return value === 'text' ? ':' : `compgen -W '${value.join(' ')}' -- "$current"`;
}

/** Writes completions for zsh. */
export function zshCompletion(): string {
  const cases = commands.map(([name, command]) => {
    const lines = advertised(command).flatMap((flag) =>
      spellings(flag).map((spelling) => `        '*${spelling}${zshTail(flag)}'`),
    );
    return `    ${name})\n      _arguments \\\n${lines.join(' \\\n')} \\\n        '*:file:_files' ;;`;
  });
  return `#compdef autofdo-gen

_autofdo_gen() {
  local command=generate
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    compadd -- ${NAMES}
    return
  fi
  if [[ " ${NAMES} " == *" $words[2] "* ]]; then
    command=$words[2]
    shift words
    (( CURRENT-- ))
  fi
  case $command in
${cases.join('\n')}
  esac
}

_autofdo_gen "$@"
`;
}

function zshTail(flag: Flag): string {
  const doc = flag.doc.replace(/[[\]\\:]/g, '\\$&').replaceAll("'", "'\\''");
  if (!takesValue(flag)) return `[${doc}]`;
  const value = valueKind(flag);
  const action =
    value === 'folder'
      ? '_files -/'
      : value === 'file'
        ? '_files'
        : value === 'text'
          ? ' '
          : `(${value.join(' ')})`;
  return `=[${doc}]:${(flag.value ?? 'value').toLowerCase().replaceAll(':', '\\:')}:${action}`;
}

/** Writes completions for fish. */
export function fishCompletion(): string {
  const lines = commands.flatMap(([name, command]) => {
    const condition =
      name === 'generate'
        ? `not __fish_seen_subcommand_from ${NAMES.replace(/\bgenerate ?/, '')}`
        : `__fish_seen_subcommand_from ${name}`;
    return advertised(command).map((flag) => fishLine(flag, condition));
  });
  const names = commands.map(
    ([name, { what }]) => `complete -c autofdo-gen -n __fish_use_subcommand -a ${name} -d ${quoted(what)}`,
  );
  return `# fish completion for autofdo-gen\n${[...names, ...lines].join('\n')}\n`;
}

function fishLine(flag: Flag, condition: string): string {
  const names = [flag.name, ...(flag.aliases ?? [])].map((name) =>
    name.length === 1 ? `-s ${name}` : `-l ${name}`,
  );
  const value = valueKind(flag);
  const argument = !takesValue(flag)
    ? []
    : value === 'folder'
      ? ['-x -a "(__fish_complete_directories)"']
      : value === 'file'
        ? ['-r -F']
        : value === 'text'
          ? ['-x']
          : [`-x -a ${quoted(value.join(' '))}`];
  return [
    `complete -c autofdo-gen -n ${quoted(condition)}`,
    ...names,
    ...argument,
    `-d ${quoted(flag.doc)}`,
  ].join(' ');
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
