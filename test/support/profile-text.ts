import type { FunctionSamples, LineLocation } from '../../src/sample-profile/types.js';

/** Writes functions in LLVM's text form (SampleProfWriter.cpp, SampleProfileWriterText). */
export function profileText(functions: readonly FunctionSamples[]): string {
  return functions
    .map((samples) => `${samples.name}:${samples.total}:${samples.head}\n${contentText(samples, ' ')}`)
    .join('');
}

function contentText(samples: FunctionSamples, indent: string): string {
  const lines = samples.body.map(({ count, targets, ...location }) => {
    const calls = targets.map((target) => ` ${target.name}:${target.count}`).join('');
    return `${indent}${locationText(location)}: ${count}${calls}\n`;
  });
  for (const { samples: inlinee, ...location } of samples.inlined) {
    lines.push(`${indent}${locationText(location)}: ${inlinee.name}:${inlinee.total}\n`);
    lines.push(contentText(inlinee, `${indent} `));
  }
  if (samples.checksum !== undefined) lines.push(`${indent}!CFGChecksum: ${samples.checksum}\n`);
  if (samples.attributes !== undefined) lines.push(`${indent}!Attributes: ${samples.attributes}\n`);
  return lines.join('');
}

function locationText({ line, discriminator }: LineLocation): string {
  return discriminator === 0 ? `${line}` : `${line}.${discriminator}`;
}
