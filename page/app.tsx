import { useEffect, useRef } from 'preact/hooks';
import { Changes } from './changes.js';
import { FunctionPage } from './function-page.js';
import { Functions } from './functions.js';
import { WeightMap } from './map.js';
import { clipped, type Model, type Profile } from './model.js';
import { Overview } from './overview.js';
import { hrefTo, type Route, useKeptScroll, useRoute, type View } from './route.js';

/** Shows the page: a head with links to each part, and the part that the address asks for. */
export function App({ model }: { model: Model }) {
  const route = useRoute();
  const profile = model.profiles.find(({ id }) => id === route.profile) ?? model.profiles[0];
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useKeptScroll(route);
  useEffect(() => {
    // After a click the new part is read from its start. When the page opens, the focus stays where it is.
    if (!first.current) main.current?.focus({ preventScroll: true });
    first.current = false;
  }, [profile, route.view, route.view === 'function' ? route.argument : '']);
  useEffect(() => {
    const name = route.view === 'function' ? route.argument : undefined;
    const shown = name === undefined ? undefined : (profile?.find(name)?.shown ?? clipped(name));
    const parts = [shown, profile?.id, 'autofdo-gen report'];
    document.title = parts.filter(Boolean).join(' · ');
  }, [profile, route]);
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <Head model={model} profile={profile} view={route.view} />
      <main ref={main} tabIndex={-1}>
        {profile === undefined ? (
          <NoProfile model={model} />
        ) : (
          <Part model={model} profile={profile} route={route} />
        )}
      </main>
      <footer>
        Made by autofdo-gen {model.report.version}. The file holds all of its data and asks no server for
        anything.
      </footer>
    </>
  );
}

function Head({ model, profile, view }: { model: Model; profile: Profile | undefined; view: View }) {
  const link = (to: View, label: string) =>
    profile && (
      <a href={hrefTo(profile.id, to)} aria-current={to === view ? 'page' : undefined}>
        {label}
      </a>
    );
  return (
    <header>
      <div class="title">
        <span class="product">AutoFDO report</span>
        <ProfileChoice model={model} profile={profile} view={view} />
      </div>
      <nav aria-label="Parts of the report">
        {link('overview', 'Overview')}
        {link('map', 'Map')}
        {link('functions', 'Functions')}
        {profile?.packed.comparison && link('changes', 'Changes')}
      </nav>
    </header>
  );
}

function ProfileChoice({ model, profile, view }: { model: Model; profile: Profile | undefined; view: View }) {
  if (profile === undefined) return null;
  if (model.profiles.length === 1) return <strong title={profile.packed.path}>{profile.id}</strong>;
  const onChange = (event: Event) => {
    const { value } = event.currentTarget as HTMLSelectElement;
    location.hash = hrefTo(value, view === 'function' ? 'functions' : view);
  };
  return (
    <label>
      <span class="hidden">Binary</span>
      <select value={profile.id} onChange={onChange}>
        {model.profiles.map(({ id }) => (
          <option key={id} value={id}>
            {id}
          </option>
        ))}
      </select>
    </label>
  );
}

function Part({ model, profile, route }: { model: Model; profile: Profile; route: Route }) {
  switch (route.view) {
    case 'overview':
      return <Overview model={model} profile={profile} />;
    case 'map':
      return <WeightMap key={profile.id} profile={profile} grouping={route.argument} steps={route.steps} />;
    case 'functions':
      return <Functions key={profile.id} profile={profile} search={route.argument} />;
    case 'function':
      return <FunctionPage key={`${profile.id}/${route.argument}`} profile={profile} name={route.argument} />;
    case 'changes':
      return <Changes profile={profile} />;
  }
}

function NoProfile({ model }: { model: Model }) {
  return (
    <>
      <h1>No profile</h1>
      {model.report.failures.map(({ name, message, hint }) => (
        <p key={name}>
          {name}: {message}. {hint}
        </p>
      ))}
    </>
  );
}
