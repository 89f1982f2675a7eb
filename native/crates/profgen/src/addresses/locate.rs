//! Locates a run-time address in the code of a target.

use elf::Svma;
use perfdata::{AddressSpaces, Avma, Moment, Period, Space};

use crate::account::ledger::EntryClass;
use crate::addresses::binding::{Binding, BoundPiece};
use crate::addresses::load_address::GlobalBase;
use crate::binaries::code_space::CodeOffset;
use crate::binaries::id::BinaryId;
use crate::binaries::target::{Target, Targets};

/// The place of a run-time address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The start of an instruction of this target.
    Code(CodeOffset, BinaryId),
    /// The bytes that a kernel puts before the function that starts at this offset.
    Preamble(CodeOffset),
    /// In the code of this target, but at no instruction.
    Misplaced(BinaryId),
    /// No place that counts. The class tells why.
    Lost(EntryClass),
}

impl Place {
    /// Returns the class of an entry whose other end does not count.
    pub(crate) fn class(self) -> EntryClass {
        match self {
            Self::Code(..) => EntryClass::Used,
            Self::Preamble(_) => EntryClass::Stub,
            Self::Misplaced(_) => EntryClass::NotInstruction,
            Self::Lost(class) => class,
        }
    }
}

/// Resolves addresses to places. All workers share it.
pub(crate) struct Resolver<'a, 's> {
    pub targets: &'a Targets<'a>,
    pub spaces: &'s AddressSpaces,
    /// Content of each mapping, by mapping id.
    pub bindings: &'s [Binding],
    /// llvm-profgen's single load address of the only target, in compat mode.
    pub global_base: Option<&'s GlobalBase>,
}

impl<'a> Resolver<'a, '_> {
    /// Returns the address space of `pid` at `moment`, and the period for which it stays the same.
    pub(crate) fn view(&self, pid: i32, moment: Moment) -> (View<'a>, Period) {
        if let Some(global) = self.global_base {
            let (base, period) = global.at(moment);
            let target = self.targets.first();
            let delta = target.image.preferred_base().0.wrapping_sub(base);
            let everything = Piece {
                start: 0,
                last: u64::MAX,
                content: Content::Target { target, delta },
            };
            let pieces = vec![everything];
            return (View { pieces, hot: 0 }, period);
        }
        let space = self.spaces.space(pid, moment);
        let mut pieces = self.pieces(&space);
        pieces.sort_unstable_by_key(|piece| piece.start);
        let hot = pieces.iter().position(Piece::is_target).unwrap_or(0);
        (View { pieces, hot }, space.period())
    }

    fn pieces(&self, space: &Space<'_>) -> Vec<Piece<'a>> {
        let kernel = self.spaces.kernel_image().map(|map| self.bindings.get(map.0 as usize));
        let kernel_code: Vec<Piece<'a>> = match kernel {
            Some(Some(Binding::Target(id, pieces))) => {
                let target = &self.targets[*id];
                pieces.iter().map(|piece| Piece::of_target(target, *piece)).collect()
            }
            _ => Vec::new(),
        };
        // The extent that the vmlinux states is certain; the mappings of modules may overlap it.
        let outside_kernel = |piece: &Piece<'_>| {
            kernel_code
                .iter()
                .all(|code| piece.last < code.start || piece.start > code.last)
        };
        let mut pieces = Vec::new();
        for range in space.ranges().into_iter().chain(self.spaces.modules()) {
            let Some(last) = range.end.0.checked_sub(1).filter(|last| *last >= range.start.0) else {
                continue;
            };
            let whole = |content| Piece {
                start: range.start.0,
                last,
                content,
            };
            match self.bindings.get(range.map.0 as usize) {
                Some(Binding::Target(id, bound)) => {
                    let target = &self.targets[*id];
                    let visible = bound
                        .iter()
                        .filter(|piece| piece.start <= last && piece.last >= range.start.0);
                    pieces.extend(visible.map(|piece| {
                        let clipped = BoundPiece {
                            start: piece.start.max(range.start.0),
                            last: piece.last.min(last),
                            delta: piece.delta,
                        };
                        Piece::of_target(target, clipped)
                    }));
                }
                Some(Binding::OtherBuild(_)) => pieces.push(whole(Content::Lost(EntryClass::OtherBuild))),
                _ => pieces.push(whole(Content::Lost(EntryClass::OutsideBinary))),
            }
        }
        pieces.retain(outside_kernel);
        if let Some(binding) = kernel.filter(|_| kernel_code.is_empty()) {
            let class = match binding {
                Some(Binding::OtherBuild(_)) => EntryClass::OtherBuild,
                _ => EntryClass::OutsideBinary,
            };
            pieces.extend(kernel_half(&pieces, class));
        }
        pieces.extend(kernel_code);
        pieces
    }
}

/// Returns the kernel's own addresses: the upper half of the address space without the modules.
fn kernel_half<'a>(modules: &[Piece<'a>], class: EntryClass) -> Vec<Piece<'a>> {
    const UPPER_HALF: u64 = 1 << 63;
    let mut borders: Vec<_> = modules
        .iter()
        .filter(|piece| piece.start >= UPPER_HALF)
        .map(|piece| (piece.start, piece.last))
        .collect();
    borders.sort_unstable();
    let mut gaps = Vec::new();
    let mut next = Some(UPPER_HALF);
    for (start, last) in borders {
        if let Some(begin) = next.filter(|begin| *begin < start) {
            gaps.push(Piece {
                start: begin,
                last: start - 1,
                content: Content::Lost(class),
            });
        }
        next = next.and_then(|begin| last.checked_add(1).map(|behind| behind.max(begin)));
    }
    gaps.extend(next.map(|begin| Piece {
        start: begin,
        last: u64::MAX,
        content: Content::Lost(class),
    }));
    gaps
}

#[derive(Clone, Copy)]
struct Piece<'a> {
    start: u64,
    last: u64,
    content: Content<'a>,
}

#[derive(Clone, Copy)]
enum Content<'a> {
    Target { target: &'a Target<'a>, delta: u64 },
    Lost(EntryClass),
}

impl<'a> Piece<'a> {
    fn of_target(target: &'a Target<'a>, piece: BoundPiece) -> Self {
        Self {
            start: piece.start,
            last: piece.last,
            content: Content::Target {
                target,
                delta: piece.delta,
            },
        }
    }

    /// Returns the gap between the code of targets; `None` if the gap is empty.
    fn elsewhere(start: u64, last: u64) -> Option<Self> {
        let content = Content::Lost(EntryClass::OutsideBinary);
        (start <= last).then_some(Self { start, last, content })
    }

    fn is_target(&self) -> bool {
        matches!(self.content, Content::Target { .. })
    }

    fn contains(&self, address: u64) -> bool {
        address.wrapping_sub(self.start) <= self.last - self.start
    }
}

/// An address space during a period without changes: disjoint pieces, in ascending order.
#[derive(Clone)]
pub(crate) struct View<'a> {
    pieces: Vec<Piece<'a>>,
    /// Index of the piece of a target that was hit last. Most addresses lie in this piece.
    hot: usize,
}

impl<'a> View<'a> {
    /// Makes an address space that has only the code of targets: disjoint pieces, in ascending order.
    pub(crate) fn of(code: Vec<(&'a Target<'a>, BoundPiece)>) -> Self {
        let mut pieces = Vec::with_capacity(2 * code.len() + 1);
        let mut next = Some(0);
        for (target, piece) in code {
            pieces.extend(next.and_then(|next| Piece::elsewhere(next, piece.start.checked_sub(1)?)));
            next = piece.last.checked_add(1);
            pieces.push(Piece::of_target(target, piece));
        }
        pieces.extend(next.and_then(|next| Piece::elsewhere(next, u64::MAX)));
        Self {
            hot: pieces.iter().position(Piece::is_target).unwrap_or(0),
            pieces,
        }
    }

    /// Returns the target that `address` lies in, and the address in the target's file; `None` if it lies in
    /// no target.
    pub(crate) fn target_at(&self, address: Avma) -> Option<(&'a Target<'a>, Svma)> {
        let piece = self.pieces.iter().find(|piece| piece.contains(address.0))?;
        match piece.content {
            Content::Target { target, delta } => Some((target, Svma(address.0.wrapping_add(delta)))),
            Content::Lost(_) => None,
        }
    }

    /// Looks up for each address whether an instruction starts there, and drops the answers. No look-up depends on
    /// another one, so the processor waits for their memory once, and its caches have the answers when each address
    /// is located. Addresses outside of the code that was hit last are left out.
    pub(crate) fn fetch(&self, addresses: impl Iterator<Item = Avma>) {
        let Some(Content::Target { target, delta }) = self.pieces.get(self.hot).map(|piece| piece.content) else {
            return;
        };
        let shift = delta.wrapping_sub(target.code.base().0);
        let is_start = |address: Avma| {
            let offset = u32::try_from(address.0.wrapping_add(shift));
            offset.is_ok_and(|offset| target.code.is_known_instruction(offset))
        };
        std::hint::black_box(addresses.filter(|address| is_start(*address)).count());
    }

    /// Returns the place of the source of a branch.
    #[inline]
    pub(crate) fn locate_source(&mut self, address: Avma) -> Place {
        self.locate(address, |target, offset| {
            match target.code.function_of_preamble(offset) {
                Some(function) => Some(Place::Preamble(target.shared_offset(function))),
                None => Some(code_of(target, target.code.source_at(offset)?)),
            }
        })
    }

    /// Returns the place of the target of a branch.
    #[inline]
    pub(crate) fn locate_target(&mut self, address: Avma) -> Place {
        self.locate(address, |target, offset| {
            Some(code_of(target, target.code.target_at(offset)?))
        })
    }

    /// Returns the offset of `address` in the code of a target, whether it is at an instruction or not. The
    /// error tells why the address lies in no target.
    pub(crate) fn locate_byte(&mut self, address: Avma) -> Result<CodeOffset, EntryClass> {
        let place = self.locate(address, |target, offset| Some(code_of(target, offset)));
        match place {
            Place::Code(offset, _) => Ok(offset),
            other => Err(other.class()),
        }
    }

    /// Returns the place of `address`. `find` returns the place of an offset into the code of a target.
    #[inline]
    fn locate(&mut self, address: Avma, find: impl Fn(&Target<'a>, u32) -> Option<Place>) -> Place {
        let address = address.0;
        if let Some(piece) = self.pieces.get(self.hot)
            && piece.contains(address)
        {
            return self.place(piece.content, address, find);
        }
        let behind = self.pieces.partition_point(|piece| piece.start <= address);
        let Some(index) = behind
            .checked_sub(1)
            .filter(|&index| self.pieces[index].contains(address))
        else {
            return Place::Lost(EntryClass::Unmapped);
        };
        if self.pieces[index].is_target() {
            self.hot = index;
        }
        self.place(self.pieces[index].content, address, find)
    }

    #[inline]
    fn place(&self, content: Content<'a>, address: u64, find: impl Fn(&Target<'a>, u32) -> Option<Place>) -> Place {
        match content {
            Content::Lost(class) => Place::Lost(class),
            Content::Target { target, delta } => {
                let code = &target.code;
                let offset = address.wrapping_add(delta).wrapping_sub(code.base().0);
                let Some(offset) = u32::try_from(offset).ok().filter(|offset| *offset < code.span()) else {
                    return Place::Lost(EntryClass::OutsideBinary);
                };
                match find(target, offset) {
                    Some(place) => place,
                    None if code.is_decoded(offset) => Place::Misplaced(target.id),
                    None => Place::Lost(EntryClass::Stub),
                }
            }
        }
    }
}

/// Returns the place of an instruction of `target`.
#[inline]
fn code_of(target: &Target<'_>, offset: u32) -> Place {
    Place::Code(target.shared_offset(offset), target.id)
}

/// Returns the class of the two that tells more about the binary.
pub(crate) fn stronger(a: EntryClass, b: EntryClass) -> EntryClass {
    const ORDER: [EntryClass; 5] = [
        EntryClass::NotInstruction,
        EntryClass::Stub,
        EntryClass::OtherBuild,
        EntryClass::OutsideBinary,
        EntryClass::Unmapped,
    ];
    let rank = |class| ORDER.iter().position(|&known| known == class).unwrap_or(ORDER.len());
    if rank(a) <= rank(b) { a } else { b }
}
