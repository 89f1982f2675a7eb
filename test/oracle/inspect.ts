import { readFeatures, readFileAttrs } from '../../src/perf-data/file-layout.js';
import {
  HEADER_BYTES,
  type PerfDataHeader,
  PIPE_HEADER_SIZE,
  parseHeader,
} from '../../src/perf-data/header.js';
import { type OracleSummary, RecordCollector } from './record-collector.js';
import { openSource, type RecordSource, recordingFiles } from './source.js';
import { walkRecords } from './walk.js';

/**
 * Describes a perf.data as a second reader, written independently of the product's. If the two readers disagree,
 * one of them has a fault. This reader shares the decoding of headers, attrs and features with the part of the
 * product that works without the addon.
 */
export async function inspectWithOracle(path: string): Promise<OracleSummary> {
  const { main, directory, streams } = await recordingFiles(path);
  const source = await openSource(main);
  try {
    const header = parseHeader(await source.read(0, HEADER_BYTES), main);
    const collector = new RecordCollector(header.littleEndian);
    await readMainFile(source, header, collector);
    for (const [index, stream] of streams.entries()) {
      // perf numbers the files without gaps.
      if (stream.number > index) collector.endsEarly(`files are missing before data.${stream.number}`);
      await readStream(stream.path, collector);
    }
    return collector.summary(path, header, directory);
  } finally {
    await source.close();
  }
}

async function readMainFile(
  source: RecordSource,
  header: PerfDataHeader,
  collector: RecordCollector,
): Promise<void> {
  if (header.pipe) {
    await walkRecords(source, PIPE_HEADER_SIZE, Number.POSITIVE_INFINITY, collector);
    return;
  }
  await readFileAttrs(source, header, collector);
  const { offset, size } = header.data;
  if (size === 0) {
    // perf writes the size last. perf also sets the feature bits early, when the sections do not exist yet.
    collector.endsEarly('perf was killed before it completed the file');
    await walkRecords(source, offset, Number.POSITIVE_INFINITY, collector);
    return;
  }
  // Features are read first if possible, because they name events. A stream must be read in its order.
  if (source.size !== undefined) await readFeatures(source, header, collector);
  await walkRecords(source, offset, offset + size, collector);
  if (source.size === undefined) await readFeatures(source, header, collector);
}

/** Reads `data.N` of a directory: records without a header, with a compression stream of their own. */
async function readStream(path: string, collector: RecordCollector): Promise<void> {
  const source = await openSource(path);
  try {
    await walkRecords(source, 0, Number.POSITIVE_INFINITY, collector);
  } finally {
    await source.close();
  }
}
