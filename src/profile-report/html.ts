import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { packReport } from './pack.js';
import type { Report } from './types.js';

/**
 * Folder in which `npm run build` puts the page's code. It is the same seen from this file and from the bundle
 * that contains this file.
 */
const PAGE = new URL('../../dist/page/', import.meta.url);

/**
 * Yields a report as one HTML file, in pieces. The page connects to no other computer, and only its own code can
 * run in it: data is in blocks of base64 that no browser treats as code, and a content security policy allows one
 * script and one style by their hashes.
 */
export function* reportPage(report: Report): Generator<string> {
  const code = readFileSync(new URL('page.js', PAGE), 'utf8');
  const style = readFileSync(new URL('page.css', PAGE), 'utf8');
  const licences = readFileSync(new URL('licences.txt', PAGE), 'utf8');
  const { index, blocks } = packReport(report);
  const title = escapeHtml(index.profiles.map(({ name }) => name).join(', '));
  const policy = `default-src 'none'; script-src '${hashOf(code)}'; style-src '${hashOf(style)}'; base-uri 'none'; form-action 'none'`;
  yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="autofdo-gen ${escapeHtml(index.version)}">
<title>${title} · autofdo-gen report</title>
<style>${style}</style>
</head>
<body>
<div id="app"><p class="loading">Unpacking the profile.</p><noscript><p>This report needs JavaScript.</p></noscript></div>
`;
  yield dataBlock('index', index);
  yield `<script>${code}</script>\n`;
  for (const [name, block] of blocks) yield dataBlock(`block-${name}`, block);
  yield `<script type="text/plain" id="licences">\nCode of these projects is in this page.\n\n${licences}</script>\n`;
  yield '</body>\n</html>\n';
}

function dataBlock(id: string, value: unknown): string {
  const packed = gzipSync(JSON.stringify(value)).toString('base64');
  return `<script type="application/gzip" id="${id}">${packed}</script>\n`;
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
