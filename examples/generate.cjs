// Usage: node generate.cjs BINARY PERF.DATA OUTPUT
const { generateProfile } = require('autofdo-gen');

const [binary, perfData, output] = process.argv.slice(2);
generateProfile({ binary, perfData, output, format: 'text' }).then(
  ({ size }) => console.log(`${size} bytes`),
  (error) => {
    console.error(`${error.code}: ${error.message}`);
    process.exitCode = 1;
  },
);
