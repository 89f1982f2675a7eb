//! llvm-profgen's view of mappings: one load address for all processes.
//!
//! Every mapping of a file with the binary's name (the last component of the path) changes the load address
//! from its moment on, whatever process the mapping belongs to. Used with `--compat=llvm-profgen` only.
//! Without it, [`crate::addresses::binding`] is used instead.

use elf::Image;
use job::{Error, ErrorCode};
use perfdata::{BuildId, Change, KERNEL_IMAGE, Mapping, Moment, Period, SideRecord};
use rustc_hash::FxHashSet;

use crate::addresses::binding::recognize;
use crate::binaries::target::{Target, Targets};
use crate::request::options::GenerateOptions;

/// Mask of the only page size that llvm-profgen knows.
const PAGE_MASK: u64 = !0xfff;

/// The load address of the binary, as far as its mappings have stated it.
pub(crate) struct LoadAddress {
    base: u64,
    /// True if a mapping has confirmed or changed the address.
    pub(crate) is_confirmed: bool,
    segments: Vec<Segment>,
}

impl LoadAddress {
    /// Returns the load address before any mapping: the address that the binary was linked for.
    pub(crate) fn preferred(target: &Target<'_>) -> Self {
        Self {
            base: target.image.preferred_base().0,
            is_confirmed: false,
            segments: executable_segments(target.image),
        }
    }

    /// Returns the difference between an address of the ELF file and the run-time address.
    pub(crate) fn delta(&self, target: &Target<'_>) -> u64 {
        target.image.preferred_base().0.wrapping_sub(self.base)
    }

    /// Follows a mapping of the target. Returns true if the load address has changed.
    pub(crate) fn follow(&mut self, mmap: &Mapping, target: &Target<'_>) -> Result<bool, Error> {
        if mmap.start.0 == self.base {
            self.is_confirmed = true;
            return Ok(false);
        }
        if target.kernel || self.segments.first().is_some_and(|first| mmap.pgoff == first.offset) {
            self.base = mmap.start.0;
            self.is_confirmed = true;
            return Ok(true);
        }
        check_consistent(mmap, self.base, &self.segments)?;
        Ok(false)
    }
}

/// The load address over time.
pub(crate) struct GlobalBase {
    /// Processes with a mapping of the binary. Only their samples are read. `None` (for a kernel) stands for
    /// all processes.
    pids: Option<FxHashSet<i32>>,
    preferred: u64,
    /// Changes of the load address, in ascending order. Each is valid from its moment on.
    changes: Vec<(Moment, u64)>,
}

impl GlobalBase {
    /// Follows the mappings of `records` for which `is_of_target` returns true.
    pub(crate) fn new(
        records: &[SideRecord],
        target: &Target<'_>,
        selected: &[i32],
        is_of_target: impl Fn(&Mapping) -> bool,
    ) -> Result<Self, Error> {
        let mut mmaps: Vec<(Moment, &Mapping)> = records
            .iter()
            .filter_map(|record| match &record.change {
                Change::Map(mmap) if is_of_target(mmap) => Some((record.moment, mmap)),
                _ => None,
            })
            .filter(|(_, mmap)| selected.is_empty() || target.kernel || selected.contains(&mmap.pid))
            .collect();
        mmaps.sort_by_key(|(moment, _)| *moment);
        let mut address = LoadAddress::preferred(target);
        let mut changes = Vec::new();
        for (moment, mmap) in &mmaps {
            if address.follow(mmap, target)? {
                changes.push((*moment, address.base));
            }
        }
        if mmaps.is_empty() {
            return Err(if target.kernel {
                no_kernel()
            } else {
                Error::new(ErrorCode::NoMapping, "No relevant mmap event is found in perf data.")
            });
        }
        let pids = (!target.kernel).then(|| mmaps.iter().map(|(_, mmap)| mmap.pid).collect());
        Ok(Self {
            pids,
            preferred: target.image.preferred_base().0,
            changes,
        })
    }

    /// Returns true if samples of the process are read.
    pub(crate) fn reads(&self, pid: i32) -> bool {
        self.pids.as_ref().is_none_or(|pids| pids.contains(&pid))
    }

    /// Returns the load address at a moment, and the period for which it is valid.
    pub(crate) fn at(&self, moment: Moment) -> (u64, Period) {
        let behind = self.changes.partition_point(|change| change.0 <= moment);
        let until = self.changes.get(behind).map(|change| change.0);
        let before = behind.checked_sub(1).map(|index| self.changes[index]);
        let (from, base) = before.unwrap_or((Moment::START, self.preferred));
        (base, Period { from, until })
    }
}

/// Returns the error that no mapping of a kernel was found.
pub(crate) fn no_kernel() -> Error {
    Error::new(
        ErrorCode::NoMapping,
        "Kernel is requested, but no kernel is found in mmap events.",
    )
}

struct Segment {
    address: u64,
    offset: u64,
}

/// Returns the executable segments in program-header order, rounded down to pages.
fn executable_segments(image: &Image) -> Vec<Segment> {
    let segments = image.load_segments().iter().filter(|segment| segment.executable);
    segments
        .map(|segment| Segment {
            address: segment.svma.0 & PAGE_MASK,
            offset: segment.offset.0 & PAGE_MASK,
        })
        .collect()
}

/// Returns true if a mapping belongs to the only target: by the build id in the recording, if build ids
/// count, or by name as in llvm-profgen.
pub(crate) fn is_of_target(
    mapping: &Mapping,
    recorded: Option<&BuildId>,
    targets: &Targets<'_>,
    options: &GenerateOptions,
) -> bool {
    if !options.policy.build_ids {
        return names_target(mapping, targets.first());
    }
    recognize(mapping, recorded, targets, options.ignore_build_id).is_some_and(|found| !found.is_other_build())
}

/// Returns true if llvm-profgen takes a mapping for a mapping of the target.
fn names_target(mmap: &Mapping, target: &Target<'_>) -> bool {
    let name = mmap.file.name.as_str();
    if target.kernel {
        return name
            .strip_prefix(KERNEL_IMAGE)
            .is_some_and(|symbol| matches!(symbol, "" | "_stext" | "_text"));
    }
    name.rsplit('/').next() == Some(target.name())
}

/// Refuses a further mapping whose address contradicts the load address.
fn check_consistent(mmap: &Mapping, base: u64, segments: &[Segment]) -> Result<(), Error> {
    let fail = |text: &str| {
        Err(Error::new(ErrorCode::Unsupported, text)
            .hint("llvm-profgen ends here too; without {--compat=llvm-profgen} each mapping is followed by itself."))
    };
    let distance = mmap.start.0.wrapping_sub(base);
    let Some(first) = segments.first() else {
        return fail("File offset not found");
    };
    if let Some(segment) = segments.iter().find(|segment| segment.offset == mmap.pgoff) {
        if segment.address.wrapping_sub(first.address) != distance {
            return fail("Executable segments not loaded consecutively");
        }
        return Ok(());
    }
    let below = segments
        .iter()
        .filter(|segment| segment.offset < mmap.pgoff)
        .map(|segment| segment.offset)
        .max();
    match below {
        None => fail("File offset not found"),
        Some(offset) if mmap.pgoff - offset != distance => fail("Segment not loaded by consecutive mmaps"),
        Some(_) => Ok(()),
    }
}
