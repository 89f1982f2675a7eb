/** What a remedy may begin with in lower case: the name of a command. */
const COMMANDS = /^(?:autofdo-gen|perf|clang|llvm-\w+|npm|npx) /;

/**
 * Returns a remedy as a sentence: it begins with a capital letter and ends with a full stop. A remedy that begins
 * with a command, a flag or the name of a file stays as it is.
 */
export function asSentence(remedy: string): string {
  if (COMMANDS.test(remedy) || !/^[a-z]+[ ,;]/.test(remedy)) return remedy;
  const text = remedy.charAt(0).toUpperCase() + remedy.slice(1);
  return /[.?!`)]$/.test(text) ? text : `${text}.`;
}
