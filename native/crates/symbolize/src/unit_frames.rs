//! The frames of one unit's code.

use std::rc::Rc;

use gimli::UnitOffset;
use rustc_hash::{FxHashMap, FxHashSet};

use dwarf::{
    Budget, DieMap, Fault, FileReference, Interest, LineIndex, Location, Piece, Resolver, Skip, Space, Unit,
    UnitReader, overlaps, walk,
};

use crate::debug_info::View;
use crate::folded::{self, Folded};

/// One unit's part of the frame table, numbered on its own.
#[derive(Default)]
pub(crate) struct UnitFrames<'a> {
    /// Ascending and disjoint, with the number of a frame.
    pub(crate) rows: Vec<(u64, u64, u32)>,
    /// A frame's caller has a smaller number.
    pub(crate) frames: Vec<UnitFrame>,
    /// Distinct.
    pub(crate) names: Vec<&'a [u8]>,
    /// What keeps a part of it from being read.
    pub(crate) fault: Option<Fault>,
}

/// A frame as its unit knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct UnitFrame {
    /// Number of the name.
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
    /// The subroutine that this one is inlined into.
    parent: Option<u32>,
    callers: Callers,
    /// Number of the name, if it has one that can be printed, and its line.
    description: Option<(Option<u32>, u64)>,
}

/// A subroutine around the current DIE.
struct Open {
    depth: u32,
    node: u32,
    /// It is a subprogram, and none of its code is asked for. What is inlined into it need not be looked at: it lies in
    /// that code, or `llvm-dwarfdump --verify` reports an error.
    elsewhere: bool,
}

/// The stack of callers of an inlined subroutine.
#[derive(Debug, Clone, Copy)]
enum Callers {
    Unknown,
    /// It is the outermost one.
    None,
    /// The frame of the call site.
    Frame(u32),
    /// A subroutine without a name is on the way. The stack ends before it.
    Cut(Option<u32>),
}

/// Reads the frames of the unit's `pieces`, which are ascending and disjoint. Its DIEs are those of `split`, if the
/// unit is a skeleton.
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
    // Some skeletons have enough of their functions to do without the other half (clang's -fsplit-dwarf-inlining).
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
    /// Collects the unit's subroutines, and the addresses of each as far as they matter to `pieces`.
    /// Of folded functions, those are left out that the rows of `by_lines` are not of.
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
            let dropped = self.folded_elsewhere(subprograms, main, unit);
            all.retain(|(_, _, node)| !dropped.contains(node));
        }
        self.map = DieMap::of(&all, &pieces);
    }

    /// The functions, and what is inlined into them, whose code the linker folded into that of another function, and whose lines the line
    /// table of `unit` does not have.
    fn folded_elsewhere(&mut self, subprograms: Vec<(u64, u64, u32)>, main: &Space<'a>, unit: &Unit) -> FxHashSet<u32> {
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
            // What is inlined has a greater number than the function around it.
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
        // A split unit has its skeleton's list of files, unless it has one of its own.
        let shares_files = space.id == 0 || own.line_program.is_none();
        let is_own = |file: &FileReference| (file.space, file.unit) == (space.id, own.offset);
        Folded {
            decl_line: found.decl_line,
            decl_file: found.decl_file.filter(|file| shares_files && is_own(file)),
        }
    }

    /// The frame of an address in the node's own code.
    fn leaf(&mut self, node: u32, location: Location) -> Option<u32> {
        let callers = match self.callers(node) {
            Callers::Cut(last) => return last,
            Callers::Frame(frame) => Some(frame),
            Callers::None | Callers::Unknown => None,
        };
        let line = u64::from(location.line);
        self.frame(node, line, location.discriminator, callers).or(callers)
    }

    /// The node's frame at a line, unless it has no name.
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
            // llvm-profgen takes "<invalid>", which stands for no name in LLVM, and the empty name for none.
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
        // Down to the outermost one whose answer is there, then back up.
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
