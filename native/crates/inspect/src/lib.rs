//! Describes a perf.data file: its events, their samples, and the mappings.

mod count;
mod shard;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use job::failure::recording_error;
use job::{Error, ErrorCode, Observer, Phase, Progress, on_threads};
use perfdata::{AddressSpaces, Change, CpuMode, Metadata, PerfData, RecordStats, image_name};

pub use count::EventCounts;
use count::{Collector, Counts};
pub use shard::{FileCounts, ShardInspection, inspect_shard};

/// The content of a recording. Damage is no error: reading ends there, and `stats` says so.
#[derive(Debug)]
pub struct Inspection {
    /// True if the recording is a directory, as `perf record --threads` makes.
    pub directory: bool,
    /// The metadata of the recording.
    pub metadata: Metadata,
    /// Counts of records, and the place where reading had to stop.
    pub stats: RecordStats,
    /// Counts by event, in the order of `metadata.attrs`.
    pub events: Vec<EventCounts>,
    /// Largest number of branch entries in a sample.
    pub branch_depth: u64,
    /// Number of samples that belong to no event.
    pub unknown_event: u64,
    /// Number of branches in raw traces of Arm SPE. Each branch counts as a sample.
    pub traced: u64,
    /// Number of samples that are too short for their fields.
    pub too_short: u64,
    /// Time stamps of the first and the last sample, in nanoseconds.
    pub time_span: Option<(u64, u64)>,
    /// Executable mappings by name, each with the number of samples whose instruction pointer lies in the mapping;
    /// most samples first.
    pub images: Vec<Image>,
    /// Build ids with the names of their files, sorted.
    pub build_ids: Vec<(String, String)>,
}

/// A mapped file, or the kernel.
#[derive(Debug, PartialEq, Eq)]
pub struct Image {
    /// Path of the file, or the name of a mapping that is no file.
    pub path: String,
    /// Build id in hexadecimal digits.
    pub build_id: Option<String>,
    /// Number of samples in the image.
    pub samples: u64,
}

/// Reads a recording on all processors; `-` is standard input.
///
/// # Errors
/// `InputUnreadable` or `InputInvalid` if the recording cannot be opened or is no perf.data; `Aborted` if the job
/// is cancelled.
pub fn inspect(path: &Path, observer: &dyn Observer) -> Result<Inspection, Error> {
    on_threads(0, || {
        let mut input = open(path, observer)?;
        if input.read_once() {
            if let Some(found) = read(path, input, observer, Reading::Once)? {
                return Ok(found);
            }
            input = open(path, observer)?;
        }
        let found = read(path, input, observer, Reading::AllButSamplesFirst)?;
        found.ok_or_else(|| Error::new(ErrorCode::Internal, "records that came late, although all are known"))
    })
}

/// The two ways to read a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Samples are decoded as soon as they are read. This way is given up if a later record has facts that earlier
    /// samples need.
    Once,
    AllButSamplesFirst,
}

fn open(path: &Path, observer: &dyn Observer) -> Result<PerfData, Error> {
    let cancel = observer.cancel_flag();
    let opened = if path == Path::new("-") {
        PerfData::from_stdin(cancel)
    } else {
        PerfData::open_cancellable(path, cancel)
    };
    opened.map_err(|error| recording_error(error).path(path))
}

/// Decodes each segment while the next one is read. Returns `None` if the input must be read in the other way.
fn read(
    path: &Path,
    mut input: PerfData,
    observer: &dyn Observer,
    reading: Reading,
) -> Result<Option<Inspection>, Error> {
    observer.progress(Progress::start(Phase::Scan));
    let failed = |error| recording_error(error).path(path);
    let mut collector = Collector::new(observer, input.size().unwrap_or(0));
    let mut spaces = AddressSpaces::default();
    let mut stats = RecordStats::default();
    let mut named = Named::default();
    let mut segment = input.next_segment().map_err(failed)?;
    while let Some(current) = segment {
        let changes = current.side_records();
        named.extend(changes);
        spaces.extend(changes);
        let consulted = collector.forget_spaces();
        let mut late = current.events_changed();
        late |= consulted.iter().any(|consulted| spaces.contradict(consulted, changes));
        if late && reading == Reading::Once {
            return Ok(None);
        }
        let attrs = input.metadata().attrs.clone();
        let (next, counted) = rayon::join(
            || input.next_segment(),
            || {
                collector
                    .add(&current, &attrs, &spaces)
                    .map_err(|error| error.path(path))
            },
        );
        counted?;
        segment = next.map_err(failed)?;
        stats.add(current.stats());
        input.reuse(current);
    }
    let metadata = input.metadata().clone();
    let counts = collector.finish();
    Ok(Some(inspection(path, metadata, stats, counts, &spaces, named)))
}

fn inspection(
    path: &Path,
    metadata: Metadata,
    stats: RecordStats,
    counts: Counts,
    spaces: &AddressSpaces,
    named: Named,
) -> Inspection {
    let listed = metadata.build_ids.iter();
    let listed = listed.map(|entry| (entry.id.to_string(), image_name(&entry.name).to_owned()));
    let build_ids: BTreeSet<(String, String)> = listed.chain(named.build_ids).collect();
    let id_of: BTreeMap<&str, &str> = build_ids
        .iter()
        .map(|(id, path)| (path.as_str(), id.as_str()))
        .collect();
    let mut samples: BTreeMap<&str, u64> = named.images.iter().map(|name| (name.as_str(), 0)).collect();
    for (map, count) in &counts.maps {
        *samples.entry(image_name(&spaces.mapping(*map).file.name)).or_default() += count;
    }
    let mut images: Vec<Image> = samples
        .into_iter()
        .map(|(path, samples)| Image {
            path: path.to_owned(),
            build_id: id_of.get(path).map(|&id| id.to_owned()),
            samples,
        })
        .collect();
    images.sort_by_key(|image| std::cmp::Reverse(image.samples));
    let mut events = counts.events;
    events.resize_with(metadata.attrs.len(), EventCounts::default);
    Inspection {
        directory: path.is_dir(),
        stats,
        events,
        branch_depth: counts.branch_depth,
        unknown_event: counts.chunks.unknown_event,
        too_short: counts.chunks.malformed,
        traced: counts.chunks.trace.branches,
        time_span: counts.time_span,
        images,
        build_ids: build_ids.into_iter().collect(),
        metadata,
    }
}

/// The files that mappings name.
#[derive(Default)]
struct Named {
    images: BTreeSet<String>,
    build_ids: BTreeSet<(String, String)>,
}

impl Named {
    fn extend(&mut self, records: &[perfdata::SideRecord]) {
        for record in records {
            let Change::Map(mapping) = &record.change else { continue };
            let name = image_name(&mapping.file.name);
            if let Some(id) = &mapping.file.build_id {
                self.build_ids.insert((id.to_string(), name.to_owned()));
            }
            let is_host = matches!(mapping.cpumode, CpuMode::Kernel | CpuMode::User | CpuMode::Unknown);
            if is_host && (mapping.executable || mapping.cpumode == CpuMode::Kernel) && !self.images.contains(name) {
                self.images.insert(name.to_owned());
            }
        }
    }
}
