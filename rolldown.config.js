import { readFileSync } from 'node:fs';
import { bundledLicences } from './packaging/bundled-licences.mjs';

/**
 * Runtime dependencies stay packages of their own. The addon's loader stays a file of its own, too, because it looks
 * for files beside itself.
 */
const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

// The library and the command share their code. The code is in CommonJS files, a few for each command, because
// Node loads these in half the time that separate ES modules take. `index.mjs` exports the library's names to ES
// modules.
const program = {
  input: { index: 'src/index.ts', 'cli/main': 'src/cli/main.ts' },
  platform: 'node',
  external: [/\.cjs$/, ...Object.keys(dependencies)],
  output: {
    dir: 'dist',
    format: 'cjs',
    entryFileNames: '[name].js',
    chunkFileNames: 'shared/[name].js',
    dynamicImportInCjs: false,
    cleanDir: true,
  },
  plugins: [
    bundledLicences('THIRD-PARTY-LICENSES.txt'),
    {
      name: 'module-formats',
      generateBundle(_, bundle) {
        const emit = (fileName, source) => this.emitFile({ type: 'asset', fileName, source });
        emit('package.json', '{ "type": "commonjs" }\n');
        emit('index.mjs', `export { ${bundle['index.js'].exports.join(', ')} } from './index.js';\n`);
        emit('index.d.mts', "export * from './index.js';\n");
      },
    },
  ],
};

// The page of `report`: one script and one style. `report` puts them into each page that it writes.
const page = {
  input: { page: 'page/main.tsx' },
  platform: 'browser',
  tsconfig: 'page/tsconfig.json',
  output: { dir: 'dist/page', format: 'iife', entryFileNames: '[name].js', minify: true },
  plugins: [
    bundledLicences('licences.txt'),
    {
      name: 'page-style',
      generateBundle() {
        const source = readFileSync(new URL('page/page.css', import.meta.url), 'utf8');
        this.emitFile({ type: 'asset', fileName: 'page.css', source });
      },
    },
  ],
};

export default [program, page];
