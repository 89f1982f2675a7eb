import c from 'highlight.js/lib/languages/c';
import cpp from 'highlight.js/lib/languages/cpp';
import rust from 'highlight.js/lib/languages/rust';
import { createLowlight } from 'lowlight';

const lowlight = createLowlight({ c, cpp, rust });

/** A piece of a line, with the class of its kind. */
export interface Token {
  kind: string;
  text: string;
}

const LANGUAGES: Record<string, string> = {
  c: 'c',
  h: 'cpp',
  cc: 'cpp',
  cpp: 'cpp',
  cxx: 'cpp',
  hh: 'cpp',
  hpp: 'cpp',
  inc: 'cpp',
  rs: 'rust',
};

type Nodes = ReturnType<typeof lowlight.highlight>['children'];

/**
 * Splits the lines of a text into tokens. A file in an unknown language, or in another one than those here, stays
 * unchanged.
 */
export function highlightLines(file: string, text: string): Token[][] {
  const language = LANGUAGES[/\.(\w+)$/.exec(file)?.[1]?.toLowerCase() ?? ''];
  if (language === undefined) return text.split('\n').map((line) => [{ kind: '', text: line }]);
  const lines: Token[][] = [[]];
  const add = (kind: string, value: string) => {
    for (const [index, part] of value.split('\n').entries()) {
      if (index > 0) lines.push([]);
      if (part !== '') lines.at(-1)?.push({ kind, text: part });
    }
  };
  const visit = (nodes: Nodes, kind: string) => {
    for (const node of nodes) {
      if (node.type === 'text') add(kind, node.value);
      else if (node.type === 'element')
        visit(node.children as Nodes, kindOf(node.properties['className']) ?? kind);
    }
  };
  visit(lowlight.highlight(language, text).children, '');
  return lines;
}

/** Returns one of the few kinds that have a colour in the style sheet, or `undefined`. */
function kindOf(classes: unknown): string | undefined {
  const [first] = Array.isArray(classes) ? classes : [];
  return /^hljs-(keyword|type|built_in|comment|string|number|meta|title)/.exec(String(first))?.[1];
}
