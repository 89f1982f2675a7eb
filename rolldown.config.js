// The command line as one CommonJS file a command: Node loads that in half the time it takes for the modules one by one.
export default {
  input: 'src/cli/main.ts',
  platform: 'node',
  external: [/\.cjs$/, 'binary-parser', 'long'],
  output: {
    dir: 'dist/cli',
    format: 'cjs',
    chunkFileNames: '[name].js',
    dynamicImportInCjs: false,
    cleanDir: true,
  },
  plugins: [
    {
      name: 'commonjs-folder',
      generateBundle() {
        this.emitFile({ type: 'asset', fileName: 'package.json', source: '{ "type": "commonjs" }\n' });
      },
    },
  ],
};
