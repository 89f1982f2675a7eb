import { useEffect, useLayoutEffect, useState } from 'preact/hooks';

/** Parts of the report that a link can lead to. */
export type View = 'overview' | 'map' | 'functions' | 'function' | 'changes';

/** What the address of the page asks for: `#/PROFILE/VIEW/ARGUMENT/STEP...`, each part encoded for URLs. */
export interface Route {
  /** Id of a profile. */
  profile: string | undefined;
  view: View;
  /** The name of a function, the text of a search, or what the map is grouped by. */
  argument: string;
  /** The way from the root of the map to the part that is shown. */
  steps: string[];
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
  const [profile = '', view = '', argument = '', ...steps] = parts;
  return {
    profile: profile === '' ? undefined : profile,
    view: VIEWS.includes(view) ? (view as View) : 'overview',
    argument,
    steps,
  };
}

/** An address inside of the page. */
export function hrefTo(profile: string, view: View, argument = '', steps: readonly string[] = []): string {
  const parts = [profile, view, ...(argument === '' ? [] : [argument, ...steps])];
  return `#/${parts.map(encodeURIComponent).join('/')}`;
}

/** Puts an address in place of the present one, so that the way back does not stop at each letter of a search. */
export function replaceRoute(href: string): void {
  history.replaceState(history.state, '', href);
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

/** How long a place is waited for, as lines of a function are unpacked after its page is there; in milliseconds. */
const PATIENCE = 1000;

/** A link leads to the start of its part; the ways back and forth lead to where that part was left. */
export function useKeptScroll(route: Route): void {
  useEffect(() => {
    history.scrollRestoration = 'manual';
    const onScroll = () => history.replaceState({ top: window.scrollY }, '');
    // Once for each place, as browsers allow few changes of the history.
    window.addEventListener('scrollend', onScroll);
    return () => window.removeEventListener('scrollend', onScroll);
  }, []);
  useLayoutEffect(() => {
    const { top = 0 } = (history.state as { top?: number } | null) ?? {};
    const since = performance.now();
    let frame = 0;
    const scroll = () => {
      window.scrollTo(0, top);
      if (Math.abs(window.scrollY - top) > 1 && performance.now() - since < PATIENCE) {
        frame = requestAnimationFrame(scroll);
      }
    };
    scroll();
    return () => cancelAnimationFrame(frame);
  }, [route]);
}
