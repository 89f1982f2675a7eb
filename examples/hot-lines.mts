// Usage: node hot-lines.mjs BINARY PERF.DATA
// Prints the hottest lines of a program as FILE:LINE COUNT FUNCTION, for a script or a page of your own.
import { type ProfileReport, report } from 'autofdo-gen';

const [binary = '', perfData = ''] = process.argv.slice(2);
const { profiles, recording } = await report({ binary, perfData });
console.error(`${recording?.statistics.branchEntries} branch entries were read`);
for (const profile of profiles) {
  for (const { where, count, name } of linesOf(profile).slice(0, 10))
    console.log(`${where} ${count} ${name}`);
}

function linesOf({ functions, places, names }: ProfileReport) {
  const lines = functions.flatMap(({ name, samples }) => {
    const place = places.get(name);
    return (samples?.body ?? []).map(({ line, count }) => ({
      // A line is a 16-bit distance from the declaration of its function.
      where: place === undefined ? `+${line}` : `${place.file}:${place.line + ((line << 16) >> 16)}`,
      count,
      name: names.get(name) ?? name,
    }));
  });
  return lines.sort((a, b) => Number(b.count - a.count));
}
