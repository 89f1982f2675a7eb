#!/usr/bin/env node
// Startup is a good part of a small job: modules are loaded when a command needs them, not before.

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case 'inspect':
      return (await import('./inspect.js')).runInspect(rest);
    case 'doctor':
      return (await import('./doctor.js')).runDoctorCommand(rest);
    case 'generate':
      return (await import('./generate.js')).runGenerateCommand(rest);
    case 'merge':
      return (await import('./merge.js')).runMergeCommand(rest);
    case 'convert':
      return (await import('./convert.js')).runConvertCommand(rest);
    case 'show':
      return (await import('./show.js')).runShowCommand(rest);
    case 'overlap':
      return (await import('./overlap.js')).runOverlapCommand(rest);
    default:
      return (await import('./generate.js')).runGenerateCommand(args);
  }
}

main(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
});
