import { useEffect, useState } from 'preact/hooks';

/** Parts of the report that a link can lead to. */
export type View = 'overview' | 'map' | 'functions' | 'function' | 'changes';

/** What the address of the page asks for: `#/PROFILE/VIEW/ARGUMENT`, each part encoded for URLs. */
export interface Route {
  /** Id of a profile. */
  profile: string | undefined;
  view: View;
  /** The name of a function, the text of a search, or a place in the map. */
  argument: string;
}

const VIEWS: readonly string[] = ['overview', 'map', 'functions', 'function', 'changes'] satisfies View[];

/** Reads the part of an address behind `#`. What cannot be read leads to the overview. */
export function parseRoute(hash: string): Route {
  let parts: string[];
  try {
    parts = hash
      .replace(/^#?\/?/, '')
      .split('/')
      .map(decodeURIComponent);
  } catch {
    parts = [];
  }
  const [profile = '', view = '', argument = ''] = parts;
  return {
    profile: profile === '' ? undefined : profile,
    view: VIEWS.includes(view) ? (view as View) : 'overview',
    argument,
  };
}

/** An address inside of the page. */
export function hrefTo(profile: string, view: View, argument = ''): string {
  const parts = [profile, view, ...(argument === '' ? [] : [argument])];
  return `#/${parts.map(encodeURIComponent).join('/')}`;
}

/** Puts an address in place of the present one, so that the way back does not stop at each letter of a search. */
export function replaceRoute(href: string): void {
  history.replaceState(null, '', href);
}

/** What the address asks for, now and when it changes. */
export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const onChange = () => setRoute(parseRoute(location.hash));
    window.addEventListener('hashchange', onChange);
    return () => window.removeEventListener('hashchange', onChange);
  }, []);
  return route;
}
