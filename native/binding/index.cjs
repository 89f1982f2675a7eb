'use strict';
// Loads the addon of this platform. In a checkout it lies beside this file; an installed package has it in a
// package of its own for each platform, of which npm installs the one that fits.

/** A bundler that makes ES modules leaves no `__dirname`. */
const FOLDER = typeof __dirname === 'string' ? __dirname : process.cwd();

/** The platforms that this process may be, as the names of addons have them. */
function candidates() {
  const { platform, arch } = process;
  // Nothing tells cheaply which C library Node was linked with. An addon of the other one cannot be loaded.
  if (platform === 'linux') return [`linux-${arch}-gnu`, `linux-${arch}-musl`];
  return [platform === 'win32' ? `win32-${arch}-msvc` : `${platform}-${arch}`];
}

function load() {
  const failures = [];
  for (const platform of candidates()) {
    for (const request of [`${FOLDER}/autofdo-gen.${platform}.node`, `@autofdo-gen/binding-${platform}`]) {
      try {
        return require(request);
      } catch (error) {
        failures.push({ platform, request, error });
      }
    }
  }
  throw Object.assign(new Error('no addon could be loaded'), { folder: FOLDER, failures });
}

module.exports = load();
