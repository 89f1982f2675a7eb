//! The files that recordings map, and the file of each mapping.

use perfdata::{AddressSpaces, CpuMode, KERNEL_IMAGE, MapId, Mapping, Metadata, Moment, Segment};
use rustc_hash::FxHashMap;
use traceshard::{Binary, BinaryKind, KERNEL_BIAS};

use crate::addresses::binding::is_no_file;
use crate::addresses::build_ids::BuildIds;
use crate::gather::lives::Lives;

/// Upper bound of addresses, exclusive, so that engines without unsigned numbers can hold them.
const END_OF_FILE: u64 = 1 << 63;
/// Most bytes between the lowest and the highest code of a kernel, before and after the symbol that its
/// mapping names.
const KERNEL_SPAN: u64 = 1 << 32;

/// The number of a file in a job.
pub(crate) type FileId = u32;

/// Stands for the absence of a file: for a branch without an end in a file, for the second file of a branch
/// with ends in one file, and before the first stack.
pub(crate) const NO_FILE: FileId = FileId::MAX;

/// All files of a job. Each has a [`FileId`].
#[derive(Debug, Default)]
pub(crate) struct Files {
    known: Vec<Binary>,
    numbers: FxHashMap<Binary, FileId>,
}

impl Files {
    fn number(&mut self, file: Binary) -> FileId {
        if let Some(known) = self.numbers.get(&file) {
            return *known;
        }
        let number =
            FileId::try_from(self.known.len()).unwrap_or_else(|_| unreachable!("that many paths fill the memory"));
        self.known.push(file.clone());
        self.numbers.insert(file, number);
        number
    }

    /// Returns all files, by their numbers.
    pub(crate) fn all(&self) -> &[Binary] {
        &self.known
    }
}

/// The content of a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// Code of a file. A run-time address plus `delta` (modulo 2^64) is a distance from the place that the
    /// file's kind defines, and is less than `span`.
    File {
        file: FileId,
        kind: BinaryKind,
        delta: u64,
        span: u64,
    },
    /// Memory that no file backs, or data.
    Other,
}

/// The address spaces of one input, and the content of its mappings.
#[derive(Default)]
pub(crate) struct Followed {
    pub spaces: AddressSpaces,
    /// Content of each mapping, by mapping id.
    pub held: Vec<Held>,
    build_ids: BuildIds,
    /// The lives of processes; `None` if the past is never forgotten.
    lives: Option<Lives>,
    /// The moment before which the past was forgotten.
    pub since: Moment,
    /// The moment of the latest change, and the moment of the latest change when the past was last forgotten.
    latest: Moment,
    latest_before: Moment,
    /// Number of changes since the past was last forgotten.
    changes: usize,
    /// Number of mappings that were left when the past was last forgotten.
    kept: usize,
}

impl Followed {
    /// Makes the address spaces of an input. `forgets` is true if its past may be forgotten.
    pub(crate) fn new(forgets: bool) -> Self {
        Self {
            lives: forgets.then(Lives::default),
            ..Self::default()
        }
    }

    /// Follows the changes of a segment. Returns true if a mapping before this segment would have been taken
    /// for another file, had all build ids been known then.
    pub(crate) fn extend(&mut self, segment: &Segment, metadata: &Metadata, files: &mut Files) -> bool {
        self.spaces.extend(segment.side_records());
        self.changes += segment.side_records().len();
        for record in segment.side_records() {
            self.latest = self.latest.max(record.moment);
            if let Some(lives) = &mut self.lives {
                lives.note(record);
            }
        }
        let changes = self.build_ids.extend(segment.side_records(), metadata);
        let build_ids = &self.build_ids;
        let mut hold = |(_, mapping): (MapId, &Mapping)| held(mapping, build_ids, files);
        let bound = self.held.len();
        let mut rewritten = false;
        if changes {
            let again: Vec<_> = self.spaces.mappings().take(bound).map(&mut hold).collect();
            rewritten = again != self.held;
            self.held = again;
        }
        let new: Vec<_> = self.spaces.mappings().skip(bound).map(hold).collect();
        self.held.extend(new);
        rewritten
    }

    /// Returns true if the past takes so much memory that it should be forgotten: after `most` changes, or after as
    /// many changes as there are mappings, because each of them is copied then.
    pub(crate) fn has_long_past(&self, most: usize) -> bool {
        self.changes >= most.max(self.kept)
    }

    /// Forgets what was before the last call of this function, and the processes that had ended by then.
    /// Samples of the time since that call may still come. If samples from `needed` on may come, the past since then is
    /// kept as well, unless it has more than `most` changes. Files get new numbers.
    pub(crate) fn forget_past(&mut self, files: &mut Files, needed: Option<Moment>, most: usize) {
        let needed = needed.filter(|needed| self.spaces.changes_after(*needed) <= most);
        let since = needed.map_or(self.latest_before, |needed| needed.min(self.latest_before));
        self.since = since.max(self.since);
        let mut present = AddressSpaces::default();
        let lives = self.lives.get_or_insert_default();
        present.extend(&self.spaces.since(since, &lives.take_ended_by(since)));
        self.latest_before = self.latest;
        *files = Files::default();
        self.build_ids.keep(present.mappings().map(|(_, mapping)| mapping));
        let build_ids = &self.build_ids;
        self.held = present
            .mappings()
            .map(|(_, mapping)| held(mapping, build_ids, files))
            .collect();
        self.spaces = present;
        (self.changes, self.kept) = (0, self.held.len());
    }
}

fn held(mapping: &Mapping, build_ids: &BuildIds, files: &mut Files) -> Held {
    let name = mapping.file.name.as_str();
    let kind = match mapping.cpumode {
        CpuMode::Kernel if name.starts_with(KERNEL_IMAGE) => BinaryKind::Kernel,
        CpuMode::Kernel => BinaryKind::Module,
        _ => BinaryKind::User,
    };
    // A kernel that hides its addresses states 0.
    let hidden = kind == BinaryKind::Kernel && mapping.pgoff == 0;
    let build_id = build_ids.of(mapping);
    // Memory with a build id holds a file, whatever its name is.
    if !mapping.executable || hidden || build_id.is_none() && is_no_file(name) {
        return Held::Other;
    }
    let file = files.number(Binary {
        build_id: build_id.map(|id| id.to_string()),
        path: name.to_owned(),
        kind,
    });
    let delta = match kind {
        BinaryKind::User => mapping.pgoff.wrapping_sub(mapping.start.0),
        BinaryKind::Kernel => KERNEL_BIAS.wrapping_sub(mapping.pgoff),
        BinaryKind::Module => mapping.start.0.wrapping_neg(),
    };
    let span = if kind == BinaryKind::Kernel {
        KERNEL_SPAN
    } else {
        END_OF_FILE
    };
    Held::File {
        file,
        kind,
        delta,
        span,
    }
}
