import type { ComponentChildren } from 'preact';
import { distanceText, lineDistance, sourceLine } from '../src/profile-report/source-line.js';
import type { Temperature } from '../src/profile-report/types.js';
import type { LineLocation } from '../src/sample-profile/types.js';
import { clipped, type FunctionRow, type Profile } from './model.js';
import { hrefTo } from './route.js';

/** A word for a temperature, in its colour. */
export function TemperatureMark({ of }: { of: Temperature }) {
  return <span class={`mark ${of}`}>{of}</span>;
}

/** A bar as long as a share, from 0 to 1. The number beside it says the same, so it is hidden from screen readers. */
export function Bar({ share, kind }: { share: number; kind: string }) {
  const width = `${(Math.min(1, Math.max(0, share)) * 100).toFixed(2)}%`;
  return (
    <span class="bar" aria-hidden="true">
      {share > 0 && <span class={kind} style={{ width }} />}
    </span>
  );
}

/** The name of a function, which leads to its page if the profile has it. */
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

/** The same, by the number of its name. */
export function NumberedLink({ profile, name }: { profile: Profile; name: number }) {
  return <FunctionLink profile={profile} name={profile.name(name)} shown={profile.shown(name)} />;
}

/** Where a function is declared, with the end of its path that tells it apart. */
export function placeText({ place }: Pick<FunctionRow, 'place'>): string {
  return place === undefined ? '' : `${place.file.split('/').slice(-2).join('/')}:${place.line}`;
}

/** A line with the end of the path of its file, or the number of a pseudo probe. */
export function lineText(profile: Profile, name: number, location: LineLocation): string {
  const more = location.discriminator === 0 ? '' : `.${location.discriminator}`;
  const place = profile.place(name);
  if (profile.packed.locations === 'probes') return `probe ${location.line}${more}`;
  if (place === undefined) return `${distanceText(lineDistance(location))}${more}`;
  const line = sourceLine(place, location);
  return `${place.file.split('/').at(-1)}:${line > 0 ? line : '?'}${more}`;
}

/** A part of a page with a heading. */
export function Section({ title, children }: { title: string; children: ComponentChildren }) {
  const id = title.toLowerCase().replace(/\W+/g, '-');
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}
