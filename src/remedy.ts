/** What a remedy may begin with in lower case: the name of a command. */
const COMMANDS = /^(?:autofdo-gen|perf|clang|llvm-\w+|npm|npx) /;

/**
 * Returns a remedy as a sentence: it begins with a capital letter, with code in backquotes or with a flag, and
 * ends with a full stop. A remedy that begins with a command or the name of a file stays as it is.
 */
export function asSentence(remedy: string): string {
  if (COMMANDS.test(remedy)) return remedy;
  const text = /^[a-z]+[ ,;]/.test(remedy) ? remedy.charAt(0).toUpperCase() + remedy.slice(1) : remedy;
  return /^(?:[A-Z]|`[^`]+` |--[a-z][a-z0-9-]* [a-z])/.test(text) && !/[.?!]\)?$/.test(text)
    ? `${text}.`
    : text;
}
