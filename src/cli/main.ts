#!/usr/bin/env node
// Startup takes a large part of the time of a small job, so a module is loaded only when a command needs it.

type Run = (args: readonly string[]) => Promise<number>;

const COMMANDS: Record<string, () => Promise<Run>> = {
  generate: async () => (await import('./generate.js')).runGenerateCommand,
  doctor: async () => (await import('./doctor.js')).runDoctorCommand,
  collect: async () => (await import('./collect.js')).runCollectCommand,
  inspect: async () => (await import('./inspect.js')).runInspectCommand,
  report: async () => (await import('./report.js')).runReportCommand,
  merge: async () => (await import('./merge.js')).runMergeCommand,
  show: async () => (await import('./show.js')).runShowCommand,
  overlap: async () => (await import('./overlap.js')).runOverlapCommand,
  convert: async () => (await import('./convert.js')).runConvertCommand,
  help: async () => (await import('./help.js')).runHelpCommand,
};

async function main(args: readonly string[]): Promise<number> {
  const [name = '', ...rest] = args;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command !== undefined) return (await command())(rest);
  if (/^[a-z]/i.test(name)) {
    const { unknownCommand } = await import('./help.js');
    const status = unknownCommand(name, Object.keys(COMMANDS));
    if (status !== undefined) return status;
  }
  return (await import('./generate.js')).runGenerateCommand(args);
}

main(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
});
