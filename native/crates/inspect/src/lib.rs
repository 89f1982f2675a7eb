//! What a perf.data holds: its events, what they sampled, and what was mapped.

mod count;
mod shard;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use job::failure::recording_error;
use job::{Error, ErrorCode, Observer, Phase, Progress, on_threads};
use perfdata::{AddressSpaces, Change, CpuMode, Metadata, PerfData, RecordStats, image_name};

pub use count::EventCounts;
use count::{Collector, Counts};
pub use shard::{BranchCounts, ShardInspection, inspect_shard};

/// What was found in a recording. Damage is no error: it ends the reading and stands in `stats`.
#[derive(Debug)]
pub struct Inspection {
    /// A directory, as `perf record --threads` makes.
    pub directory: bool,
    /// What the recording says about itself.
    pub metadata: Metadata,
    /// Counts of records, and where reading had to stop.
    pub stats: RecordStats,
    /// By event, in the order of `metadata.attrs`.
    pub events: Vec<EventCounts>,
    /// Most branch entries of a sample.
    pub branch_depth: u64,
    /// Samples of no event, and samples too short for their fields.
    pub unknown_event: u64,
    /// Branches that a raw trace of Arm SPE tells of, each of which is a sample.
    pub traced: u64,
    /// See `unknown_event`.
    pub too_short: u64,
    /// Time stamps of the first and the last sample, in nanoseconds.
    pub time_span: Option<(u64, u64)>,
    /// Executable mappings by name, with the samples whose instruction pointer lies in them; most samples first.
    pub images: Vec<Image>,
    /// Build ids with the names of their files, sorted.
    pub build_ids: Vec<(String, String)>,
}

/// A mapped file, or the kernel.
#[derive(Debug, PartialEq, Eq)]
pub struct Image {
    /// Its path, or its name where it is no file.
    pub path: String,
    /// Its build id in hexadecimal digits.
    pub build_id: Option<String>,
    /// Samples in it.
    pub samples: u64,
}

/// Reads a recording on all processors; `-` is standard input.
///
/// # Errors
/// `InputUnreadable` or `InputInvalid` if it cannot be opened or is no perf.data; `Aborted`.
pub fn inspect(path: &Path, observer: &dyn Observer) -> Result<Inspection, Error> {
    on_threads(0, || {
        let mut input = open(path)?;
        if input.read_once() {
            if let Some(found) = read(path, input, observer, Reading::Once)? {
                return Ok(found);
            }
            input = open(path)?;
        }
        let found = read(path, input, observer, Reading::AllButSamplesFirst)?;
        found.ok_or_else(|| Error::new(ErrorCode::Internal, "records that came late, although all are known"))
    })
}

/// How a file is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Samples are decoded when they are read. That is given up if something comes later that they need.
    Once,
    AllButSamplesFirst,
}

fn open(path: &Path) -> Result<PerfData, Error> {
    let opened = if path == Path::new("-") {
        PerfData::from_stdin()
    } else {
        PerfData::open(path)
    };
    opened.map_err(|error| recording_error(error).path(path))
}

/// Decodes each segment while the next one is read. `None` if the input must be read the other way.
fn read(
    path: &Path,
    mut input: PerfData,
    observer: &dyn Observer,
    reading: Reading,
) -> Result<Option<Inspection>, Error> {
    observer.progress(Progress::start(Phase::Scan));
    input.set_cancel(observer.cancel_flag());
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

/// What mappings name.
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
