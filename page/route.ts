import { useEffect, useLayoutEffect, useState } from 'preact/hooks';

/** Parts of the report to which a link can lead. */
export type View = 'overview' | 'map' | 'functions' | 'function' | 'changes';

/** The request in the address of the page: `#/PROFILE/VIEW/ARGUMENT/STEP...`. Each part is encoded for URLs. */
export interface Route {
  /** Id of a profile. */
  profile: string | undefined;
  view: View;
  /** The name of a function, the text of a search, or the grouping of the map. */
  argument: string;
  /** Steps from the root of the map to the part that is shown. */
  steps: string[];
}

const VIEWS: readonly string[] = ['overview', 'map', 'functions', 'function', 'changes'] satisfies View[];

/** Parses the part of an address after `#`. An address that cannot be parsed leads to the overview. */
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

/** Returns an address inside of the page. */
export function hrefTo(profile: string, view: View, argument = '', steps: readonly string[] = []): string {
  const parts = [profile, view, ...(argument === '' ? [] : [argument, ...steps])];
  return `#/${parts.map(encodeURIComponent).join('/')}`;
}

/**
 * Replaces the present address. The browser's history then has one entry for a search, not one for each letter.
 */
export function replaceRoute(href: string): void {
  history.replaceState(history.state, '', href);
}

/** Returns the request in the address, and again whenever the address changes. */
export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const onChange = () => setRoute(parseRoute(location.hash));
    window.addEventListener('hashchange', onChange);
    return () => window.removeEventListener('hashchange', onChange);
  }, []);
  return route;
}

/**
 * Longest time in milliseconds for which a kept scroll position is restored, because lines of a function are
 * unpacked after its page is there.
 */
const PATIENCE = 1000;

/**
 * Keeps scroll positions. A link leads to the start of its part; the browser's back and forward lead to the
 * position where the reader left the part.
 */
export function useKeptScroll(route: Route): void {
  useEffect(() => {
    history.scrollRestoration = 'manual';
    const onScroll = () => history.replaceState({ top: window.scrollY }, '');
    // The position is stored once for each scroll, because browsers limit changes of the history.
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
