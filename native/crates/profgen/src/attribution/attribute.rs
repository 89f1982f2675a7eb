//! Attributes the counts of ranges and branches to source lines.

use elf::{Code, Instruction, Svma, canonical_name};
use rayon::prelude::*;
use sampleprof::{LineLocation, NameId, NameTable, Profile, WriteError};
use symbolize::{FrameId, FrameTable, FunctionId};

use crate::attribution::contexts::{Combine, ContextId, Contexts, RecordId};
use crate::attribution::discriminator::DiscriminatorKind;
use crate::attribution::entry_points::EntryPoints;
use crate::counting::counter::Counter;
use crate::counting::counters::MANY;

/// The binary, as attribution sees it.
pub struct Source<'a> {
    /// Code of the binary, which knows where instructions start.
    pub code: &'a Code<'a>,
    /// Inline frames, line and discriminator of each address.
    pub frames: &'a FrameTable,
    /// The function entries among the targets of branches.
    pub entries: &'a EntryPoints<'a>,
    /// Names of the functions in `entries`.
    pub functions: &'a symbolize::FunctionTable,
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

/// The counts of all lines, before they become a profile. From here on, neither addresses nor frames are
/// needed, which take most of the memory of attribution. The caller frees them before it calls
/// [`Attributed::into_profile`].
pub struct Attributed {
    names: NameTable,
    contexts: Contexts,
    combine: Combine,
    fs_discriminators: bool,
}

impl Attributed {
    /// Returns the profile.
    ///
    /// # Errors
    /// [`WriteError::TooDeep`].
    pub fn into_profile(self) -> Result<Profile, WriteError> {
        let functions = self.contexts.into_functions(&self.names, self.combine)?;
        let mut profile = Profile {
            names: self.names,
            functions,
            ..Profile::default()
        };
        profile.flags.fs_discriminators = self.fs_discriminators;
        Ok(profile)
    }
}

/// Counts the lines of `ranges` (disjoint, ascending) and the calls among `branches` (ascending).
#[must_use]
pub fn attribute(source: &Source<'_>, ranges: &[Counter], branches: &[Counter]) -> Attributed {
    let mut attribution = Attribution {
        source,
        names: NameTable::default(),
        name_of_frame_name: vec![None; source.frames.name_count()],
        contexts: Contexts::with_room_for(source.frames.frame_count()),
        context_of_frame: vec![None; source.frames.frame_count()],
        records: vec![None; source.frames.frame_count()],
        callees: vec![None; source.functions.len()],
        inlined: Vec::new(),
    };
    let (executed, calls): (Vec<_>, Vec<_>) = rayon::join(
        || {
            let parts = ranges.par_chunks(MANY).map(|part| executed(source, part));
            parts.collect()
        },
        || branches.par_chunks(MANY).map(|part| calls(source, part)).collect(),
    );
    for line in executed.into_iter().flatten() {
        attribution.add_line(&line);
    }
    for call in calls.into_iter().flatten() {
        attribution.add_call(&call);
    }
    Attributed {
        names: attribution.names,
        contexts: attribution.contexts,
        combine: match source.counting {
            Counting::Most => Combine::Most,
            Counting::Sum => Combine::Sum,
        },
        fs_discriminators: source.discriminators == DiscriminatorKind::FlowSensitive,
    }
}

/// Neighbouring instructions of one frame that were executed.
struct Executed {
    frame: FrameId,
    /// Count of the instructions; see [`Counting`].
    count: u64,
    /// Sum of the executions of each instruction times its size in bytes.
    total: u64,
}

/// Returns the executed instructions of `ranges`, which ascend. Every instruction of a range was executed as
/// often as the range.
fn executed(source: &Source<'_>, ranges: &[Counter]) -> Vec<Executed> {
    let rows = source.frames.rows();
    let mut executed: Vec<Executed> = Vec::new();
    let first = ranges.first().map_or(Svma(0), |range| range.first);
    let mut row = rows.partition_point(|row| row.end <= first);
    for range in ranges {
        for Instruction { svma, length, .. } in source.code.instructions(range.first, range.second) {
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
    }
    executed
}

/// A branch to the entry of a function. It is a call from the source's line, whatever the instruction. If it
/// goes through a jump table, the branch to the table is the call. The jump from the table, which belongs to
/// no line, enters the function.
struct Call {
    caller: Option<FrameId>,
    callee: FunctionId,
    /// True if the branch goes to the function itself, not to a jump table.
    enters: bool,
    count: u64,
}

fn calls(source: &Source<'_>, branches: &[Counter]) -> Vec<Call> {
    let call = |branch: &Counter| {
        let called = source.entries.called(source.code, branch.second)?;
        Some(Call {
            caller: source.frames.lookup(branch.first),
            callee: called.function,
            enters: called.start == branch.second,
            count: branch.count,
        })
    };
    branches.iter().filter_map(call).collect()
}

/// A function that is called.
#[derive(Clone, Copy)]
struct Callee {
    name: NameId,
    /// The context of the function where it is not inlined; `None` if no branch has entered it.
    context: Option<ContextId>,
}

struct Attribution<'a> {
    source: &'a Source<'a>,
    names: NameTable,
    contexts: Contexts,
    // Names by the number of the frame's name, filled on first use.
    name_of_frame_name: Vec<Option<NameId>>,
    context_of_frame: Vec<Option<ContextId>>,
    records: Vec<Option<RecordId>>,
    callees: Vec<Option<Callee>>,
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
        let known = &mut self.callees[call.callee.0 as usize];
        let callee = known.get_or_insert_with(|| Callee {
            name: self
                .names
                .intern(canonical_name(self.source.functions.name(call.callee))),
            context: None,
        });
        let name = callee.name;
        if call.enters {
            let contexts = &mut self.contexts;
            let function = *callee.context.get_or_insert_with(|| contexts.context(None, name));
            contexts.add_head(function, call.count);
        }
        if let Some(frame) = call.caller {
            let record = self.record(frame);
            self.contexts.add_call(record, name, call.count);
        }
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
