//! Attributes the counts of ranges and branches to source lines.

use elf::{Code, Instruction, Svma, canonical_name};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use sampleprof::{Combine, FunctionSamples, LineLocation, NameId, NameTable, Profile, WriteError};
use symbolize::{FrameId, FrameTable, FunctionId, FunctionTable, Piece};

use crate::attribution::contexts::{ContextId, Contexts, RecordId};
use crate::attribution::discriminator::DiscriminatorKind;
use crate::attribution::entry_points::EntryPoints;
use crate::counting::counter::Counter;
use crate::counting::counters::MANY;

/// The binary, as attribution sees it.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// Code of the binary, which knows where instructions start.
    pub code: &'a Code<'a>,
    /// Inline frames, line and discriminator of each address.
    pub frames: &'a FrameTable,
    /// The function entries among the targets of branches.
    pub entries: &'a EntryPoints<'a>,
    /// Names of the functions in `entries`.
    pub functions: &'a FunctionTable,
    /// The encoding of discriminators.
    pub discriminators: DiscriminatorKind,
    /// How the count of a line is made of the counts of its instructions.
    pub counting: Counting,
}

/// How the count of a line is made of the counts of its instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// The count of the most executed instruction, times the number of copies that the compiler made of the
    /// line. Counts are numbers of executions.
    Most,
    /// The sum of the counts of the instructions. Counts are numbers of sampled addresses, each of which was
    /// at one instruction only.
    Sum,
}

impl Counting {
    /// Returns how the count of a line is made of the counts that several records or units have for it.
    pub(crate) fn combine(self) -> Combine {
        match self {
            Self::Most => Combine::Most,
            Self::Sum => Combine::Sum,
        }
    }
}

/// Returns the profile of the code in `pieces`: all addresses of one unit, ascending, whose frames `source` has.
/// `ranges` (disjoint) and `calls` ascend; those outside of `pieces` are left out. Functions have no head samples;
/// see [`heads`].
///
/// # Errors
/// [`WriteError::TooDeep`].
pub(crate) fn attribute(
    source: &Source<'_>,
    pieces: &[Piece],
    ranges: &[Counter],
    calls: &[Call],
) -> Result<Profile, WriteError> {
    let mut attribution = Attribution {
        source,
        names: NameTable::default(),
        name_of_frame_name: vec![None; source.frames.name_count()],
        contexts: Contexts::with_room_for(source.frames.frame_count()),
        context_of_frame: vec![None; source.frames.frame_count()],
        records: vec![None; source.frames.frame_count()],
        callees: FxHashMap::default(),
        inlined: Vec::new(),
    };
    // Usually there are many small units, and each thread has one of them.
    let executed: Vec<Vec<Executed>> = if pieces.len() < MANY {
        vec![executed(source, pieces, ranges)]
    } else {
        let parts = pieces.par_chunks(MANY).map(|part| executed(source, part, ranges));
        parts.collect()
    };
    for line in executed.iter().flatten() {
        attribution.add_line(line);
    }
    drop(executed);
    for piece in pieces {
        let first = calls.partition_point(|call| call.from.0 < piece.start);
        for call in calls[first..].iter().take_while(|call| call.from.0 < piece.end) {
            attribution.add_call(call);
        }
    }
    let functions = attribution
        .contexts
        .into_functions(&attribution.names, source.counting.combine())?;
    Ok(Profile {
        names: attribution.names,
        functions,
        ..Profile::default()
    })
}

/// Returns a profile that has only the functions that `calls` enter, with the number of their head samples.
pub(crate) fn heads(calls: &[Call], functions: &FunctionTable) -> Profile {
    let mut heads: Vec<Option<u64>> = vec![None; functions.len()];
    for call in calls.iter().filter(|call| call.enters) {
        let head = heads[call.callee.0 as usize].get_or_insert(0);
        *head = head.saturating_add(call.count);
    }
    let mut profile = Profile::default();
    for function in functions.functions() {
        if let Some(head) = heads[function.0 as usize] {
            let name = profile.names.intern(canonical_name(functions.name(function)));
            profile.functions.push(FunctionSamples {
                head,
                ..FunctionSamples::new(name)
            });
        }
    }
    profile
}

/// Neighbouring instructions of one frame that were executed.
struct Executed {
    frame: FrameId,
    /// Count of the instructions; see [`Counting`].
    count: u64,
    /// Sum of the executions of each instruction times its size in bytes.
    total: u64,
}

/// Returns the executed instructions of `ranges` that start in `pieces`. Both lists ascend. Every instruction of a
/// range was executed as often as the range.
fn executed(source: &Source<'_>, pieces: &[Piece], mut ranges: &[Counter]) -> Vec<Executed> {
    let rows = source.frames.rows();
    let mut executed: Vec<Executed> = Vec::new();
    let start = pieces.first().map_or(Svma(0), |piece| Svma(piece.start));
    let mut row = rows.partition_point(|row| row.end <= start);
    for piece in pieces {
        let (start, last) = (Svma(piece.start), Svma(piece.end - 1));
        // Mostly, the next range is in the next piece. Otherwise code of other units lies in between.
        if ranges.first().is_some_and(|range| range.second < start) {
            ranges = &ranges[ranges.partition_point(|range| range.second < start)..];
        }
        while let Some((range, behind)) = ranges.split_first()
            && range.first <= last
        {
            let inside = (range.first.max(start), range.second.min(last));
            for Instruction { svma, length, .. } in source.code.instructions(inside.0, inside.1) {
                while rows.get(row).is_some_and(|row| row.end <= svma) {
                    row += 1;
                }
                let Some(found) = rows.get(row).filter(|row| row.start <= svma) else {
                    continue;
                };
                let total = range.count.wrapping_mul(u64::from(length));
                let count = match source.counting {
                    Counting::Most => {
                        let discriminator = source.frames.frame(found.frame).discriminator;
                        let copies = source.discriminators.duplication_factor(discriminator);
                        range.count.wrapping_mul(u64::from(copies))
                    }
                    Counting::Sum => range.count,
                };
                match executed.last_mut().filter(|last| last.frame == found.frame) {
                    Some(last) => {
                        last.total = last.total.saturating_add(total);
                        last.count = match source.counting {
                            Counting::Most => last.count.max(count),
                            Counting::Sum => last.count.saturating_add(count),
                        };
                    }
                    None => executed.push(Executed {
                        frame: found.frame,
                        count,
                        total,
                    }),
                }
            }
            if range.second > last {
                break;
            }
            ranges = behind;
        }
    }
    executed
}

/// A branch to the entry of a function. It is a call from the source's line, whatever the instruction. If it
/// goes through a jump table, the branch to the table is the call. The jump from the table, which belongs to
/// no line, enters the function.
pub(crate) struct Call {
    /// Address of the branch.
    from: Svma,
    callee: FunctionId,
    /// True if the branch goes to the function itself, not to a jump table.
    enters: bool,
    count: u64,
}

/// Returns the calls among `branches`, in the same order.
pub(crate) fn calls(code: &Code<'_>, entries: &EntryPoints<'_>, branches: &[Counter]) -> Vec<Call> {
    let call = |branch: &Counter| {
        let called = entries.called(code, branch.second)?;
        Some(Call {
            from: branch.first,
            callee: called.function,
            enters: called.start == branch.second,
            count: branch.count,
        })
    };
    let parts = branches.par_chunks(MANY);
    parts.flat_map_iter(|part| part.iter().filter_map(call)).collect()
}

struct Attribution<'a> {
    source: &'a Source<'a>,
    names: NameTable,
    contexts: Contexts,
    // Names by the number of the frame's name, filled on first use.
    name_of_frame_name: Vec<Option<NameId>>,
    context_of_frame: Vec<Option<ContextId>>,
    records: Vec<Option<RecordId>>,
    callees: FxHashMap<FunctionId, NameId>,
    /// A buffer that is used again for each frame.
    inlined: Vec<FrameId>,
}

impl Attribution<'_> {
    fn add_line(&mut self, line: &Executed) {
        let record = self.record(line.frame);
        self.contexts.add_total(record, line.total);
        match self.source.counting {
            Counting::Most => self.contexts.raise_count(record, line.count),
            Counting::Sum => self.contexts.add_count(record, line.count),
        }
    }

    fn add_call(&mut self, call: &Call) {
        let Some(frame) = self.source.frames.lookup(call.from) else {
            return;
        };
        let (names, functions) = (&mut self.names, self.source.functions);
        let callee = self.callees.entry(call.callee);
        let callee = *callee.or_insert_with(|| names.intern(canonical_name(functions.name(call.callee))));
        let record = self.record(frame);
        self.contexts.add_call(record, callee, call.count);
    }

    fn record(&mut self, id: FrameId) -> RecordId {
        if let Some(record) = self.records[id.0 as usize] {
            return record;
        }
        let context = self.context(id);
        let record = self.contexts.record(context, self.location(id));
        self.records[id.0 as usize] = Some(record);
        record
    }

    /// Returns the context of a frame's function: the functions that it is inlined into, from the outermost
    /// function inwards.
    fn context(&mut self, id: FrameId) -> ContextId {
        let frames = self.source.frames;
        let mut inlined = std::mem::take(&mut self.inlined);
        let mut next = Some(id);
        let mut known = None;
        while let Some(id) = next {
            if let Some(context) = self.context_of_frame[id.0 as usize] {
                known = Some((id, context));
                break;
            }
            inlined.push(id);
            next = frames.frame(id).inlined_into;
        }
        while let Some(id) = inlined.pop() {
            let inlined_at = known.map(|(caller, context)| (context, self.location(caller)));
            let name = self.name(frames.frame(id).function);
            let context = self.contexts.context(inlined_at, name);
            self.context_of_frame[id.0 as usize] = Some(context);
            known = Some((id, context));
        }
        self.inlined = inlined;
        let (_, context) = known.expect("a frame was pushed or known");
        context
    }

    fn location(&self, id: FrameId) -> LineLocation {
        let frame = self.source.frames.frame(id);
        LineLocation {
            line_offset: frame.line_offset,
            discriminator: self.source.discriminators.base(frame.discriminator),
        }
    }

    fn name(&mut self, name: symbolize::NameId) -> NameId {
        let known = &mut self.name_of_frame_name[name.0 as usize];
        *known.get_or_insert_with(|| self.names.intern(self.source.frames.name(name)))
    }
}
