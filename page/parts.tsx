import type { ComponentChildren } from 'preact';
import { distanceText, lineDistance, sourceLine } from '../src/profile-report/source-line.js';
import type { Temperature } from '../src/profile-report/types.js';
import type { LineLocation } from '../src/sample-profile/types.js';
import { clipped, type FunctionRow, type Profile } from './model.js';
import { hrefTo } from './route.js';

/** Shows the name of a temperature, in its colour. */
export function TemperatureMark({ of }: { of: Temperature }) {
  return <span class={`mark ${of}`}>{of}</span>;
}

/**
 * Shows a bar whose length is a share from 0 to 1. The number beside the bar tells the same, so the bar is hidden
 * from screen readers.
 */
export function Bar({ share, kind }: { share: number; kind: string }) {
  const width = `${(Math.min(1, Math.max(0, share)) * 100).toFixed(2)}%`;
  return (
    <span class="bar" aria-hidden="true">
      {share > 0 && <span class={kind} style={{ width }} />}
    </span>
  );
}

/** Shows the name of a function. The name is a link to the function's page if the profile has the function. */
export function FunctionLink({ profile, name, shown }: { profile: Profile; name: string; shown: string }) {
  if (profile.find(name) === undefined) return <span class="name">{shown}</span>;
  return (
    <a
      class="name"
      href={hrefTo(profile.id, 'function', name)}
      title={shown === name ? shown : `${shown}\n${clipped(name)}`}
    >
      {shown}
    </a>
  );
}

/** Shows the name of a function as {@link FunctionLink} does, given the number of the name. */
export function NumberedLink({ profile, name }: { profile: Profile; name: number }) {
  return <FunctionLink profile={profile} name={profile.name(name)} shown={profile.shown(name)} />;
}

/**
 * Writes the place where a function is declared: the line, and enough of the path's end to tell the file apart.
 */
export function placeText({ place }: Pick<FunctionRow, 'place'>): string {
  return place === undefined ? '' : `${place.file.split('/').slice(-2).join('/')}:${place.line}`;
}

/** Writes a line with the end of its file's path, or the number of a pseudo probe. */
export function lineText(profile: Profile, name: number, location: LineLocation): string {
  const more = location.discriminator === 0 ? '' : `.${location.discriminator}`;
  const place = profile.place(name);
  if (profile.packed.locations === 'probes') return `probe ${location.line}${more}`;
  if (place === undefined) return `${distanceText(lineDistance(location))}${more}`;
  const line = sourceLine(place, location);
  return `${place.file.split('/').at(-1)}:${line > 0 ? line : '?'}${more}`;
}

/** Shows a part of a page with a heading. */
export function Section({ title, children }: { title: string; children: ComponentChildren }) {
  const id = title.toLowerCase().replace(/\W+/g, '-');
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}
