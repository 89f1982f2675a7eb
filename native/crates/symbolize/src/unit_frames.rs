//! Reads the frames of the code of one unit.

use std::rc::Rc;

use gimli::UnitOffset;
use rustc_hash::{FxHashMap, FxHashSet};

use dwarf::{
    Budget, DieMap, Fault, FileReference, Interest, LineIndex, Location, Piece, Resolver, Skip, Space, Unit,
    UnitReader, overlaps, walk,
};

use crate::debug_info::View;
use crate::folded::{self, Folded};

/// The part of the frame table for one unit. Frames and names are numbered within the unit.
#[derive(Default)]
pub(crate) struct UnitFrames<'a> {
    /// Address ranges with the number of their innermost frame, ascending and disjoint.
    pub(crate) rows: Vec<(u64, u64, u32)>,
    /// Frames. The frame of a caller has a smaller number than that of its callee.
    pub(crate) frames: Vec<UnitFrame>,
    /// Distinct names.
    pub(crate) names: Vec<&'a [u8]>,
    /// The fault that keeps a part of the unit from being read.
    pub(crate) fault: Option<Fault>,
}

/// A frame with the numbers of its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct UnitFrame {
    /// Number of the name of the function.
    pub(crate) name: u32,
    pub(crate) line_offset: u32,
    pub(crate) discriminator: u32,
    pub(crate) caller: Option<u32>,
}

/// A subprogram or inlined subroutine.
struct Node {
    offset: UnitOffset,
    call_line: u64,
    call_discriminator: u64,
    /// Number of the subroutine that this one is inlined into.
    parent: Option<u32>,
    callers: Callers,
    /// Number of the name, if the subroutine has a printable name, and the line of its declaration.
    description: Option<(Option<u32>, u64)>,
}

/// A subroutine that encloses the current DIE.
struct Open {
    depth: u32,
    node: u32,
    /// True if the DIE is a subprogram without wanted code. The subroutines that are inlined into it are skipped,
    /// because their code lies in that of the subprogram. (Otherwise `llvm-dwarfdump --verify` reports an error.)
    elsewhere: bool,
}

/// The callers of an inlined subroutine.
#[derive(Debug, Clone, Copy)]
enum Callers {
    Unknown,
    /// The subroutine is the outermost one.
    None,
    /// The caller is this frame, at the call site.
    Frame(u32),
    /// One of the callers has no name. The stack ends before that caller, at this frame.
    Cut(Option<u32>),
}

/// Reads the frames of the unit's `pieces`, which are ascending and disjoint. If the unit is a skeleton, its DIEs
/// are those of `split`.
pub(crate) fn read_unit_frames<'s, 'a>(
    resolver: &mut Resolver<'s, 'a>,
    view: &'s View<'a>,
    unit: &'s Unit,
    split: Option<&'s Space<'a>>,
    pieces: &[Piece],
) -> UnitFrames<'a> {
    let main = &view.main;
    let (space, die_unit) = match split.and_then(|space| Some((space, space.units.first()?))) {
        Some(split) => split,
        None => (main, unit),
    };
    let mut builder = Builder {
        reader: resolver.open(space, die_unit),
        resolver,
        nodes: Vec::new(),
        map: DieMap::default(),
        frames: Vec::new(),
        numbers: FxHashMap::default(),
        names: Vec::new(),
        number_of_name: FxHashMap::default(),
    };
    unit.fault
        .into_iter()
        .for_each(|fault| builder.reader.faults.note(fault));
    builder.reader.note(die_unit.fault.map_or(Ok(()), Err));
    builder.read_nodes(pieces, view.folded_by_lines.then_some((main, unit)));
    // Some skeletons have enough functions to do without their split unit (clang's -fsplit-dwarf-inlining).
    if split.is_none() && unit.split.is_some() && builder.nodes.is_empty() {
        builder.reader.faults.note(Fault::NO_SPLIT_UNIT);
    }
    let faults = Rc::clone(&builder.reader.faults);
    let lines = LineIndex::build(main, unit, &faults, |low, high| {
        let first = pieces.partition_point(|piece| piece.end <= low);
        pieces.get(first).is_some_and(|piece| piece.start < high)
    });
    let mut rows: Vec<(u64, u64, u32)> = Vec::new();
    let mut dies = Vec::new();
    for piece in pieces {
        dies.clear();
        let each = |low, high, node| dies.push((low, high, node));
        builder.map.for_each(piece.start, piece.end, each);
        for &(low, high, node) in &dies {
            lines.for_each(low, high, |low, high, location| {
                let Some(frame) = builder.leaf(node, location) else {
                    return;
                };
                match rows.last_mut() {
                    Some(last) if last.1 == low && last.2 == frame => last.1 = high,
                    _ => rows.push((low, high, frame)),
                }
            });
        }
    }
    UnitFrames {
        rows,
        frames: builder.frames,
        names: builder.names,
        fault: faults.take(),
    }
}

struct Builder<'r, 's, 'a> {
    resolver: &'r mut Resolver<'s, 'a>,
    reader: UnitReader<'s, 'a>,
    nodes: Vec<Node>,
    map: DieMap,
    frames: Vec<UnitFrame>,
    numbers: FxHashMap<UnitFrame, u32>,
    names: Vec<&'a [u8]>,
    number_of_name: FxHashMap<&'a [u8], u32>,
}

impl<'a> Builder<'_, '_, 'a> {
    /// Collects the subroutines of the unit, and the addresses of each that lie in `pieces`. Among folded
    /// functions, leaves out those whose lines the rows of `by_lines` do not have.
    fn read_nodes(&mut self, pieces: &[Piece], by_lines: Option<(&Space<'a>, &Unit)>) {
        let reader = self.reader.clone();
        let unit = reader.unit;
        let pieces: Vec<_> = pieces.iter().map(|piece| (piece.start, piece.end)).collect();
        let mut ranges = Vec::new();
        let mut all = Vec::new();
        let mut subprograms = Vec::new();
        let mut budget = Budget::for_dies(reader.bytes);
        let mut open: Vec<Open> = Vec::new();
        let walked = walk(
            reader.bytes,
            unit.root,
            unit.encoding,
            &reader.table,
            Skip::of(unit),
            |interest| interest != Interest::None,
            |visited| {
                while open.last().is_some_and(|around| around.depth >= visited.closed) {
                    open.pop();
                }
                let inlined = visited.interest == Interest::Inlined;
                if inlined && open.last().is_some_and(|around| around.elsewhere) {
                    return;
                }
                let Ok(number) = u32::try_from(self.nodes.len()) else {
                    return;
                };
                let die = reader.subroutine(visited.offset);
                reader.ranges(&die, &mut budget, &mut ranges);
                all.extend(ranges.iter().map(|&(low, high)| (low, high, number)));
                // A stack ends at the first subprogram.
                let parent = open.last().filter(|_| inlined).map(|around| around.node);
                self.nodes.push(Node {
                    offset: visited.offset,
                    call_line: die.call_line(),
                    call_discriminator: die.call_discriminator(),
                    parent,
                    callers: Callers::Unknown,
                    description: None,
                });
                let has_code = !inlined && !ranges.is_empty();
                let elsewhere = has_code && !ranges.iter().any(|&(low, high)| overlaps(&pieces, low, high));
                if let (true, false, &[(low, high)]) = (has_code, elsewhere, &ranges[..]) {
                    subprograms.push((low, high, number));
                }
                open.push(Open {
                    depth: visited.depth,
                    node: number,
                    elsewhere,
                });
            },
        );
        reader.note(walked);
        if let Some((main, unit)) = by_lines {
            let dropped = self.redirect_folded(subprograms, main, unit);
            all.retain(|(_, _, node)| !dropped.contains(node));
        }
        self.map = DieMap::of(&all, &pieces);
    }

    /// Returns the functions whose code the linker folded into that of another function and whose lines the line
    /// table of `unit` does not have, with the subroutines that are inlined into them.
    fn redirect_folded(&mut self, subprograms: Vec<(u64, u64, u32)>, main: &Space<'a>, unit: &Unit) -> FxHashSet<u32> {
        let mut dropped = FxHashSet::default();
        for (low, high, nodes) in folded::groups(subprograms) {
            let candidates: Vec<Folded> = nodes.iter().map(|node| self.declaration(*node)).collect();
            if let Some(owner) = folded::owner(main, unit, (low, high), &candidates)
                && owner + 1 < nodes.len()
            {
                dropped.extend(nodes.iter().copied().filter(|node| *node != nodes[owner]));
            }
        }
        if !dropped.is_empty() {
            // An inlined subroutine has a greater number than the function around it.
            for (number, node) in (0u32..).zip(&self.nodes) {
                if node.parent.is_some_and(|parent| dropped.contains(&parent)) {
                    dropped.insert(number);
                }
            }
        }
        dropped
    }

    fn declaration(&mut self, node: u32) -> Folded {
        let offset = self.nodes[node as usize].offset;
        let die = self.reader.subroutine(offset);
        let found = self.resolver.describe_cached(&self.reader, offset, &die);
        let (space, own) = (self.reader.space, self.reader.unit);
        // A split unit uses the list of files of its skeleton, unless it has one of its own.
        let shares_files = space.id == 0 || own.line_program.is_none();
        let is_own = |file: &FileReference| (file.space, file.unit) == (space.id, own.offset);
        Folded {
            decl_line: found.decl_line,
            decl_file: found.decl_file.filter(|file| shares_files && is_own(file)),
        }
    }

    /// Returns the frame of an address in the node's own code.
    fn leaf(&mut self, node: u32, location: Location) -> Option<u32> {
        let callers = match self.callers(node) {
            Callers::Cut(last) => return last,
            Callers::Frame(frame) => Some(frame),
            Callers::None | Callers::Unknown => None,
        };
        let line = u64::from(location.line);
        self.frame(node, line, location.discriminator, callers).or(callers)
    }

    /// Returns the frame of the node at a line; `None` if the node has no name.
    fn frame(&mut self, node: u32, line: u64, discriminator: u32, caller: Option<u32>) -> Option<u32> {
        let (name, decl_line) = self.description(node);
        let frame = UnitFrame {
            name: name?,
            line_offset: (line.wrapping_sub(decl_line) & 0xffff) as u32,
            discriminator,
            caller,
        };
        let next = u32::try_from(self.frames.len()).ok()?;
        let number = *self.numbers.entry(frame).or_insert(next);
        if number == next {
            self.frames.push(frame);
        }
        Some(number)
    }

    fn description(&mut self, node: u32) -> (Option<u32>, u64) {
        let node = &mut self.nodes[node as usize];
        *node.description.get_or_insert_with(|| {
            let die = self.reader.subroutine(node.offset);
            let found = self.resolver.describe_cached(&self.reader, node.offset, &die);
            // llvm-profgen treats "<invalid>", by which LLVM says that there is no name, and the empty name as no
            // name.
            let name = found.name.filter(|name| !name.is_empty() && *name != b"<invalid>");
            let number = name.and_then(|name| {
                let next = u32::try_from(self.names.len()).ok()?;
                let number = *self.number_of_name.entry(name).or_insert(next);
                if number == next {
                    self.names.push(name);
                }
                Some(number)
            });
            (number, found.decl_line)
        })
    }

    fn callers(&mut self, node: u32) -> Callers {
        // The walk goes up to the outermost caller whose answer is known, then back down.
        let mut path = Vec::new();
        let mut at = node;
        while let Callers::Unknown = self.nodes[at as usize].callers {
            path.push(at);
            match self.nodes[at as usize].parent {
                Some(parent) => at = parent,
                None => break,
            }
        }
        while let Some(inner) = path.pop() {
            let Node {
                parent,
                call_line,
                call_discriminator,
                ..
            } = self.nodes[inner as usize];
            let callers = match parent {
                None => Callers::None,
                Some(parent) => {
                    let outer = match self.nodes[parent as usize].callers {
                        Callers::Frame(frame) => Ok(Some(frame)),
                        Callers::Cut(last) => Err(last),
                        Callers::None | Callers::Unknown => Ok(None),
                    };
                    match outer {
                        Err(last) => Callers::Cut(last),
                        Ok(outer) => {
                            #[expect(
                                clippy::cast_possible_truncation,
                                reason = "LLVM keeps 32 bits of a discriminator"
                            )]
                            let discriminator = call_discriminator as u32;
                            match self.frame(parent, call_line, discriminator, outer) {
                                Some(frame) => Callers::Frame(frame),
                                None => Callers::Cut(outer),
                            }
                        }
                    }
                }
            };
            self.nodes[inner as usize].callers = callers;
        }
        self.nodes[node as usize].callers
    }
}
