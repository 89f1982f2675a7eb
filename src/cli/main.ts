#!/usr/bin/env node
// Startup is a good part of a small job: modules are loaded when a command needs them, not before.

const [command, ...rest] = process.argv.slice(2);

// A reader that closes the pipe early (`| head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
  throw error;
});

switch (command) {
  case 'inspect':
    process.exitCode = await (await import('./inspect.js')).runInspect(rest);
    break;
  case 'doctor':
    process.exitCode = await (await import('./doctor.js')).runDoctorCommand(rest);
    break;
  case 'generate':
    process.exitCode = await (await import('./generate.js')).runGenerateCommand(rest);
    break;
  case 'merge':
    process.exitCode = await (await import('./merge.js')).runMergeCommand(rest);
    break;
  case 'convert':
    process.exitCode = await (await import('./convert.js')).runConvertCommand(rest);
    break;
  case 'show':
    process.exitCode = await (await import('./show.js')).runShowCommand(rest);
    break;
  case 'overlap':
    process.exitCode = await (await import('./overlap.js')).runOverlapCommand(rest);
    break;
  default:
    process.exitCode = await (await import('./generate.js')).runGenerateCommand(process.argv.slice(2));
}
