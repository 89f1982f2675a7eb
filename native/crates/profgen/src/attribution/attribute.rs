//! Counts of ranges and branches to source lines.

use elf::{Code, Instruction, canonical_name};
use rayon::prelude::*;
use sampleprof::{LineLocation, NameId, NameTable, Profile, WriteError};
use symbolize::{FrameId, FrameTable};

use crate::attribution::contexts::{ContextId, Contexts, RecordId};
use crate::attribution::discriminator::DiscriminatorKind;
use crate::attribution::entry_points::EntryPoints;
use crate::counting::counter::Counter;
use crate::counting::counters::MANY;

/// The binary, as attribution sees it.
pub struct Source<'a> {
    /// Where instructions start.
    pub code: &'a Code<'a>,
    /// Inline stack, line and discriminator of each address.
    pub frames: &'a FrameTable,
    /// Which branch targets are function entries.
    pub entries: &'a EntryPoints<'a>,
    /// Names of the functions in `entries`.
    pub functions: &'a symbolize::FunctionTable,
    /// How discriminators are read.
    pub discriminators: DiscriminatorKind,
    /// What a line's count is.
    pub counting: Counting,
}

/// What the instructions of a line come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// The most executed one counts, times the copies that the compiler made of it: counts are executions.
    Most,
    /// They add up: counts are sampled addresses, and each was at one of them only.
    Sum,
}

/// Makes the profile of `ranges` (disjoint, ascending) and `branches` (ascending).
///
/// # Errors
/// [`WriteError::TooDeep`].
pub fn attribute(source: &Source<'_>, ranges: &[Counter], branches: &[Counter]) -> Result<Profile, WriteError> {
    let mut attribution = Attribution {
        source,
        names: NameTable::default(),
        name_of_frame_name: vec![None; source.frames.name_count()],
        contexts: Contexts::with_room_for(source.frames.frame_count()),
        context_of_frame: vec![None; source.frames.frame_count()],
        lines: vec![None; source.frames.frame_count()],
        row: 0,
        callees: Vec::new(),
    };
    let calls_of = |branches: &[Counter]| branches.iter().filter_map(|branch| Call::of(branch, source)).collect();
    let (calls, ()): (Vec<Vec<Call<'_>>>, _) = rayon::join(
        || branches.par_chunks(MANY).map(calls_of).collect(),
        || ranges.iter().for_each(|range| attribution.add_range(range)),
    );
    for call in calls.iter().flatten() {
        attribution.add_call(call);
    }
    let Attribution { names, contexts, .. } = attribution;
    let functions = contexts.into_functions(&names)?;
    let mut profile = Profile {
        names,
        functions,
        ..Profile::default()
    };
    profile.flags.fs_discriminators = source.discriminators == DiscriminatorKind::FlowSensitive;
    Ok(profile)
}

/// The record that a frame's counts go to.
#[derive(Clone, Copy)]
struct Line {
    record: RecordId,
    duplication_factor: u32,
}

/// A branch to a function's entry is a call from the source's line, whatever the instruction. Through a jump table, the branch to the table
/// is the call, and the one from there, which belongs to no line, enters the function.
struct Call<'a> {
    caller: Option<FrameId>,
    callee: &'a [u8],
    /// The branch goes to the function itself, not to a jump table.
    enters: bool,
    count: u64,
}

impl<'a> Call<'a> {
    fn of(branch: &Counter, source: &Source<'a>) -> Option<Self> {
        let called = source.entries.called(source.code, branch.second)?;
        Some(Self {
            caller: source.frames.lookup(branch.first),
            callee: canonical_name(source.functions.name(called.function)),
            enters: called.start == branch.second,
            count: branch.count,
        })
    }
}

struct Attribution<'a> {
    source: &'a Source<'a>,
    names: NameTable,
    contexts: Contexts,
    // By number, filled on first use.
    name_of_frame_name: Vec<Option<NameId>>,
    context_of_frame: Vec<Option<ContextId>>,
    lines: Vec<Option<Line>>,
    /// The row of the frame table that the last instruction lies in or before: ranges ascend, so no search is needed.
    row: usize,
    /// A buffer.
    callees: Vec<FrameId>,
}

impl Attribution<'_> {
    /// Every instruction of the range was executed `count` times. A function's total weighs instructions by their size.
    fn add_range(&mut self, range: &Counter) {
        let rows = self.source.frames.rows();
        for Instruction { svma, length, .. } in self.source.code.instructions(range.first, range.second) {
            while rows.get(self.row).is_some_and(|row| row.end <= svma) {
                self.row += 1;
            }
            let Some(found) = rows.get(self.row).filter(|row| row.start <= svma) else {
                continue;
            };
            let line = self.line(found.frame);
            self.contexts
                .add_total(line.record, range.count.wrapping_mul(u64::from(length)));
            match self.source.counting {
                Counting::Most => self.contexts.raise_count(
                    line.record,
                    range.count.wrapping_mul(u64::from(line.duplication_factor)),
                ),
                Counting::Sum => self.contexts.add_count(line.record, range.count),
            }
        }
    }

    fn add_call(&mut self, call: &Call<'_>) {
        let callee = self.names.intern(call.callee);
        if let Some(frame) = call.caller {
            let line = self.line(frame);
            self.contexts.add_call(line.record, callee, call.count);
        }
        if call.enters {
            let function = self.contexts.context(None, callee);
            self.contexts.add_head(function, call.count);
        }
    }

    fn line(&mut self, id: FrameId) -> Line {
        if let Some(line) = self.lines[id.0 as usize] {
            return line;
        }
        let frame = self.source.frames.frame(id);
        let context = self.context(id);
        let line = Line {
            record: self.contexts.record(context, self.location(id)),
            duplication_factor: self.source.discriminators.duplication_factor(frame.discriminator),
        };
        self.lines[id.0 as usize] = Some(line);
        line
    }

    /// The context of a frame's function: what it is inlined into, from the outermost function inwards.
    fn context(&mut self, id: FrameId) -> ContextId {
        let frames = self.source.frames;
        let mut callees = std::mem::take(&mut self.callees);
        let mut next = Some(id);
        let mut known = None;
        while let Some(id) = next {
            if let Some(context) = self.context_of_frame[id.0 as usize] {
                known = Some((id, context));
                break;
            }
            callees.push(id);
            next = frames.frame(id).inlined_into;
        }
        while let Some(id) = callees.pop() {
            let inlined_at = known.map(|(caller, context)| (context, self.location(caller)));
            let name = self.name(frames.frame(id).function);
            let context = self.contexts.context(inlined_at, name);
            self.context_of_frame[id.0 as usize] = Some(context);
            known = Some((id, context));
        }
        self.callees = callees;
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
