//! Finds out which mapping of a recording belongs to which binary.

use std::path::Path;

use elf::{FileOffset, Image, ImageKind};
use perfdata::{BuildId, CpuMode, KERNEL_IMAGE, Mapping};

use crate::binaries::id::BinaryId;
use crate::binaries::kernel_module;
use crate::binaries::target::{Target, Targets, file_name};

/// The content of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Binding {
    /// Code of this target. A run-time address within a piece, plus the piece's `delta`, is an address of the
    /// ELF file.
    Target(BinaryId, Vec<BoundPiece>),
    /// A file with the name of this target, but another build.
    OtherBuild(BinaryId),
    /// Any other content.
    Other,
}

/// A stretch of a mapping that one segment of the ELF backs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BoundPiece {
    /// First run-time address of the piece.
    pub start: u64,
    /// Last run-time address of the piece, inclusive.
    pub last: u64,
    /// Difference between the address in the ELF file and the run-time address, modulo 2^64.
    pub delta: u64,
}

/// The target that a mapping belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recognized {
    pub target: BinaryId,
    likeness: Likeness,
    /// Another target that the mapping may belong to just as well.
    pub rival: Option<BinaryId>,
}

impl Recognized {
    /// Returns true if the name is the target's, but the build is known to be another one.
    pub(crate) fn is_other_build(&self) -> bool {
        self.likeness == Likeness::OtherBuild
    }
}

/// Finds out which of `targets` a mapping belongs to. This depends on the mapping's file only. `recorded` is
/// the build id in the recording. Returns `None` if the file is no target.
///
/// A target with the recorded build id precedes a target with the recorded name. Among targets of one name,
/// the target at the recorded path is taken. If several are equally good, the first of them is taken.
pub(crate) fn recognize(
    mapping: &Mapping,
    recorded: Option<&BuildId>,
    targets: &Targets<'_>,
    ignore_build_id: bool,
) -> Option<Recognized> {
    let mut best: Option<Recognized> = None;
    for target in targets.iter() {
        let Some(likeness) = likeness(mapping, recorded, target, ignore_build_id) else {
            continue;
        };
        match &mut best {
            Some(best) if best.likeness < likeness => {}
            Some(best) if best.likeness == likeness => {
                if likeness == Likeness::Name {
                    best.rival = best.rival.or(Some(target.id));
                }
            }
            _ => {
                best = Some(Recognized {
                    target: target.id,
                    likeness,
                    rival: None,
                });
            }
        }
    }
    best
}

/// Returns the part of its target that a mapping holds.
pub(crate) fn bind(mapping: &Mapping, recognized: &Recognized, targets: &Targets<'_>) -> Binding {
    let target = &targets[recognized.target];
    if recognized.is_other_build() {
        return Binding::OtherBuild(target.id);
    }
    let pieces = match target.image.kind() {
        _ if target.kernel => kernel_pieces(mapping, target),
        ImageKind::Module => module_pieces(mapping, target.image),
        _ => pieces(mapping, target.image),
    };
    if pieces.is_empty() {
        Binding::Other
    } else {
        Binding::Target(target.id, pieces)
    }
}

/// The reason to take a mapping for a mapping of a target. The best reason comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    BuildId,
    Path,
    Name,
    /// The name is the target's, but the build is known to be another one.
    OtherBuild,
}

fn likeness(
    mapping: &Mapping,
    recorded: Option<&BuildId>,
    target: &Target<'_>,
    ignore_build_id: bool,
) -> Option<Likeness> {
    let name = mapping.file.name.as_str();
    let of_kernel = mapping.cpumode == CpuMode::Kernel;
    let is_kernel_map = of_kernel && name.starts_with(KERNEL_IMAGE);
    let is_module = target.image.kind() == ImageKind::Module;
    if target.kernel != is_kernel_map || is_module != (of_kernel && !is_kernel_map) {
        return None;
    }
    let same_build = recorded
        .zip(target.image.build_id())
        .map(|(recorded, own)| recorded.matches(own));
    let same_name = target.kernel
        || if is_module {
            kernel_module::is_named(name, target.image)
        } else {
            file_name(name) == target.name() && !is_no_file(name)
        };
    match same_build {
        Some(true) => Some(Likeness::BuildId),
        Some(false) if same_name && !ignore_build_id => Some(Likeness::OtherBuild),
        _ if same_name && target.image.path() == Path::new(name) => Some(Likeness::Path),
        _ if same_name => Some(Likeness::Name),
        _ => None,
    }
}

/// Returns true for the names that the kernel and perf give to memory that no file backs (Linux:
/// kernel/events/core.c, `perf_event_mmap_event`).
pub(crate) fn is_no_file(name: &str) -> bool {
    let starts = [
        "//anon",
        "[heap]",
        "[stack",
        "[anon",
        "[uprobes]",
        "/anon_hugepage",
        "/dev/zero",
    ];
    starts.iter().any(|start| name.starts_with(start))
}

/// Returns one piece for each executable segment that the mapping covers in part.
///
/// The kernel maps whole pages, so a piece begins up to one page before its segment and ends up to one page
/// after it. The page size is that of the recording machine. It is not needed here, because bytes between
/// two segments belong to the segment with whose pages the mapping started.
fn pieces(mapping: &Mapping, image: &Image) -> Vec<BoundPiece> {
    let Some(map_last) = mapping.len.checked_sub(1) else {
        return Vec::new();
    };
    let first = mapping.pgoff;
    let last = first.saturating_add(map_last);
    let mut segments: Vec<_> = image
        .load_segments()
        .iter()
        .filter(|segment| segment.executable && segment.file_size > 0)
        .map(|segment| {
            (
                segment.offset.0,
                segment.offset.0.saturating_add(segment.file_size - 1),
                segment.svma,
            )
        })
        .filter(|&(begin, end, _)| begin <= last && end >= first)
        .collect();
    segments.sort_unstable();
    let mut pieces = Vec::with_capacity(segments.len());
    for (index, &(begin, _, svma)) in segments.iter().enumerate() {
        let from = if index == 0 { first } else { begin };
        let through = segments.get(index + 1).map_or(last, |next| next.0 - 1);
        if through < from {
            continue;
        }
        let start = mapping.start.0.wrapping_add(from - first);
        pieces.push(BoundPiece {
            start,
            last: start.saturating_add(through - from),
            delta: svma
                .0
                .wrapping_sub(begin)
                .wrapping_add(first)
                .wrapping_sub(mapping.start.0),
        });
    }
    pieces
}

/// Returns the code of a module that the kernel keeps. It begins where the mapping does. No recording tells
/// where the code for initialization was.
fn module_pieces(mapping: &Mapping, image: &Image) -> Vec<BoundPiece> {
    let code = image.text_segment();
    let size = code.mem_size.min(mapping.len);
    let last = size.checked_sub(1).and_then(|last| mapping.start.0.checked_add(last));
    let piece = last.map(|last| BoundPiece {
        start: mapping.start.0,
        last,
        delta: code.svma.0.wrapping_sub(mapping.start.0),
    });
    piece.into_iter().collect()
}

/// Returns the pieces of the kernel's mapping. The mapping states the address of one symbol of the kernel (as
/// `pgoff`); its own start and length are not reliable.
fn kernel_pieces(mapping: &Mapping, target: &Target<'_>) -> Vec<BoundPiece> {
    let symbol = mapping.file.name.strip_prefix(KERNEL_IMAGE).unwrap_or_default();
    let symbol = if symbol.is_empty() { "_text" } else { symbol };
    let linked = target
        .image
        .symbol_named(symbol.as_bytes())
        .or_else(|| target.image.svma_of_file_offset(first_executable_offset(target.image)?));
    // kptr_restrict leaves 0 in place of the address.
    let (Some(linked), true) = (linked, mapping.pgoff != 0) else {
        return Vec::new();
    };
    let delta = linked.0.wrapping_sub(mapping.pgoff);
    let start = target.code.base().0.wrapping_sub(delta);
    vec![BoundPiece {
        start,
        last: start.saturating_add(u64::from(target.code.span()).saturating_sub(1)),
        delta,
    }]
}

fn first_executable_offset(image: &Image) -> Option<FileOffset> {
    image
        .load_segments()
        .iter()
        .find(|segment| segment.executable)
        .map(|segment| segment.offset)
}
