//! Counts the samples of blocks of text.

use perfdata::{Avma, Branch, BranchFlags};
use perfscript::{
    BranchEntry, BranchLine, Branches, CallStack as Frames, Dialect, Item, Line, MappingLine, Parser, SampleKind,
    ends_with_event_name,
};
use symbolize::FunctionTable;

use crate::account::ledger::EntryClass;
use crate::addresses::locate::{Place, View};
use crate::binaries::id::ByBinary;
use crate::binaries::target::Targets;
use crate::counting::stack::{EntryRules, Stack, events_of};
use crate::counting::trace::TraceTable;
use crate::input::call_stack::CallStackReader;
use crate::input::collect::Collected;
use crate::input::events::HasCallChains;
use crate::input::script::offsets::Offsets;
use crate::input::script::problems::{Problem, Problems};
use crate::request::options::GenerateOptions;

/// The parts of a job that a worker needs.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub options: &'a GenerateOptions,
    pub targets: &'a Targets<'a>,
    pub functions: &'a ByBinary<&'a FunctionTable>,
    pub kind: SampleKind,
    pub dialect: Dialect,
    pub rules: EntryRules,
}

/// The address space from a place in the text on, up to the next epoch.
pub(crate) struct Epoch<'a> {
    /// Offset in the window at which the epoch begins.
    pub from: usize,
    /// Number of the epoch. No two epochs of a job have the same number.
    pub number: u64,
    pub view: View<'a>,
    /// True if a mapping of a target is known.
    pub is_mapped: bool,
    /// Lowest address of code of programs, as far as it is known.
    pub floor: u64,
}

/// Report about a block of text that was read.
pub(crate) struct BlockReport {
    pub lines: u64,
    pub problems: Problems,
}

/// Reads blocks of text, in any order.
pub(crate) struct Worker<'a> {
    job: Job<'a>,
    pub collected: Collected,
    pub call_stacks: CallStackReader<'a>,
    pub offsets: Offsets,
    /// Number of the epoch that has the number 0 in the cache of traces.
    first_epoch: u64,
    current: Option<(u64, View<'a>)>,
    /// Lowest address of code of programs in the current epoch.
    floor: u64,
    /// True if the sample has a frame below this address.
    has_low_frame: bool,
}

impl<'a> Worker<'a> {
    pub(crate) fn new(job: Job<'a>) -> Self {
        let collected = Collected {
            traces: TraceTable::new((job.targets.len() > 1).then(|| job.targets.places())),
            ..Collected::default()
        };
        Self {
            job,
            collected,
            call_stacks: CallStackReader::new(job.targets, job.functions, job.options),
            offsets: Offsets::default(),
            first_epoch: 0,
            current: None,
            floor: 0,
            has_low_frame: false,
        }
    }

    /// Prepares the worker for another text.
    pub(crate) fn begin(&mut self, kind: SampleKind) {
        self.job.kind = kind;
    }

    /// Counts a block, which begins at `offset` of its window. `epochs` are the epochs of the window.
    pub(crate) fn read(&mut self, block: &[u8], offset: usize, epochs: &[Epoch<'a>]) -> BlockReport {
        let mut report = BlockReport {
            lines: 0,
            problems: Problems::new(self.job.options.policy),
        };
        let mut parser = Parser::new(block, self.job.dialect);
        let mut next = epochs.partition_point(|epoch| epoch.from <= offset);
        while let Some(item) = parser.next_item() {
            while epochs
                .get(next)
                .is_some_and(|epoch| epoch.from <= offset + parser.position())
            {
                next += 1;
            }
            let epoch = &epochs[next.saturating_sub(1)];
            match item {
                Item::Mapping(line) => {
                    if MappingLine::read(line.text).is_none() {
                        report.problems.add(Problem::InvalidMapping, line.index, line.text);
                    }
                }
                Item::Sample { times } => self.sample(&mut parser, times, epoch, &mut report.problems),
            }
        }
        report.lines = parser.lines();
        report
    }

    fn sample(&mut self, parser: &mut Parser<'_>, times: u64, epoch: &Epoch<'a>, problems: &mut Problems) {
        self.enter(epoch);
        let line = match self.job.kind {
            SampleKind::Branches => parser.branches(),
            SampleKind::CallStacks => self.branches_behind_frames(parser, times, epoch, problems),
        };
        let Some(line) = line else { return };
        if self.count(line, times, problems) && !epoch.is_mapped {
            problems.add(Problem::NotMapped, line.index, b"");
        }
    }

    fn enter(&mut self, epoch: &Epoch<'a>) {
        self.floor = epoch.floor;
        if self.current.as_ref().is_some_and(|(number, _)| *number == epoch.number) {
            return;
        }
        // The cache has 16 bits for the number, and an earlier epoch may come again.
        if epoch.number.wrapping_sub(self.first_epoch) > u64::from(u16::MAX) {
            self.collected.traces.flush();
            self.first_epoch = epoch.number;
        }
        self.current = Some((epoch.number, epoch.view.clone()));
    }

    /// Returns the line of branch entries of a sample whose call stack is sure. The entries of other samples
    /// count as lost.
    fn branches_behind_frames<'t>(
        &mut self,
        parser: &mut Parser<'t>,
        times: u64,
        epoch: &Epoch<'a>,
        problems: &mut Problems,
    ) -> Option<Line<'t>> {
        let (_, view) = self.current.as_mut()?;
        let stack = &mut self.call_stacks;
        stack.begin(1, HasCallChains::WHOLE);
        let (floor, mut has_low_frame) = (self.floor, false);
        let end = parser.call_stack(|address| {
            has_low_frame |= address < floor;
            stack.push(address, view) && !stack.is_broken()
        });
        self.has_low_frame = has_low_frame;
        let is_kept = stack.is_kept();
        match end {
            Frames::Rejected(line) => {
                self.lose(EntryClass::UnsureStack, line?.text, times);
                None
            }
            Frames::Branches(line) if !is_kept => {
                self.lose(EntryClass::UnsureStack, line.text, times);
                None
            }
            Frames::Cut if !is_kept => None,
            Frames::Branches(line) => {
                if !epoch.is_mapped && self.job.dialect != Dialect::Anything {
                    problems.add(Problem::NotMapped, line.index, b"");
                }
                Some(line)
            }
            Frames::Cut => {
                problems.add(Problem::Cut, parser.lines(), b"");
                None
            }
        }
    }

    /// Counts a line of branch entries. Returns true if any of them counts.
    fn count(&mut self, line: Line<'_>, times: u64, problems: &mut Problems) -> bool {
        let read = BranchLine::read(line.text, self.job.dialect);
        let event = match &read {
            Ok(read) => read.event,
            Err(invalid) => invalid.event,
        };
        if !self.selects(event, line, problems) {
            self.lose(EntryClass::Deselected, line.text, times);
            return false;
        }
        let Ok(BranchLine { address, branches, .. }) = read else {
            // `--show-task-events` and similar options print other records between the samples.
            if self.job.dialect == Dialect::Anything && memchr::memmem::find(line.text, b"PERF_RECORD_").is_some() {
                return false;
            }
            problems.add(Problem::InvalidAddress, line.index, line.text);
            return false;
        };
        let mut branches = branches;
        if self.job.options.leading_ip_only {
            if let Some(address) = address {
                return self.count_address(address, times);
            }
            branches.by_ref().for_each(drop);
            if branches.has_invalid_end() {
                problems.add(Problem::InvalidAddress, line.index, line.text);
            }
            return false;
        }
        let (entries, used) = self.count_stack(&mut branches, times);
        if branches.has_invalid_end() {
            problems.add(Problem::InvalidAddress, line.index, line.text);
        }
        let collected = &mut self.collected;
        if entries > 0 || address.is_some() {
            collected.samples = collected.samples.wrapping_add(times);
        }
        if entries > 0 {
            collected.branch_samples = collected.branch_samples.wrapping_add(times);
        }
        used
    }

    /// Returns true if samples of this event count.
    fn selects(&self, event: Option<&[u8]>, line: Line<'_>, problems: &mut Problems) -> bool {
        let wanted = &self.job.options.select.events;
        match event {
            Some(event) if !wanted.is_empty() => wanted.iter().any(|name| ends_with_event_name(event, name.as_bytes())),
            Some(_) => {
                if self.job.dialect == Dialect::EventAndAddress {
                    problems.add(Problem::UnexpectedEvent, line.index, line.text);
                }
                true
            }
            None => {
                if !wanted.is_empty() && !line.text.is_empty() {
                    problems.add(Problem::NoEvent, line.index, line.text);
                }
                true
            }
        }
    }

    /// Counts the entries of a line that does not count for a profile.
    fn lose(&mut self, class: EntryClass, line: &[u8], times: u64) {
        let Ok(read) = BranchLine::read(line, self.job.dialect) else {
            return;
        };
        let entries = if self.job.options.leading_ip_only {
            u64::from(read.address.is_some())
        } else {
            read.branches.count() as u64
        };
        let collected = &mut self.collected;
        collected.samples = collected.samples.wrapping_add(times);
        if entries > 0 {
            collected.branch_samples = collected.branch_samples.wrapping_add(times);
        }
        let lost = collected.traces.product(times, entries);
        collected.traces.lose(class, lost);
    }

    /// Counts a sampled address as a run of one instruction. Returns true if the address is code.
    fn count_address(&mut self, address: u64, times: u64) -> bool {
        let Some((_, view)) = &mut self.current else {
            return false;
        };
        let collected = &mut self.collected;
        collected.samples = collected.samples.wrapping_add(times);
        let period = self.job.options.sample_period.unwrap_or(1);
        let times = collected.traces.product(times, period);
        collected.traces.read(times);
        let place = view.locate_target(Avma(address));
        collected.traces.add_address(place, times);
        matches!(place, Place::Code(..))
    }

    /// Counts a branch stack. Returns the number of its entries, and whether any of them was used.
    fn count_stack(&mut self, branches: &mut Branches<'_>, times: u64) -> (u64, bool) {
        let Job {
            options, kind, rules, ..
        } = self.job;
        let Some((number, view)) = &mut self.current else {
            return (0, false);
        };
        let traces = &mut self.collected.traces;
        let times = match options.sample_period {
            None => times,
            Some(period) => events_of(traces.product(times, period), branches.clone().map(branch), view, rules),
        };
        let (mut entries, floor) = (0, self.floor);
        let unread = branches.clone();
        let stack = Stack {
            branches: branches.inspect(|_| entries += 1).map(branch),
            times,
            view: (*number - self.first_epoch) as u16,
            except: match kind {
                SampleKind::Branches => None,
                SampleKind::CallStacks => self.call_stacks.except(),
            },
        };
        let used = match kind {
            SampleKind::Branches => stack.count(view, rules, traces),
            SampleKind::CallStacks => {
                let used = stack.count_noting(view, rules, traces, &mut self.call_stacks.entries);
                self.call_stacks.count(times);
                used
            }
        };
        let events = traces.product(times, entries);
        traces.read(events);
        let offsets = &mut self.offsets;
        if entries > 0 {
            offsets.stacks += 1;
            offsets.low_stacks +=
                u64::from(!used && unread.into_iter().all(|entry| entry.from < floor && entry.to < floor));
        }
        if used && kind == SampleKind::CallStacks {
            offsets.chains += 1;
            offsets.low_chains += u64::from(self.has_low_frame);
        }
        (entries, used)
    }
}

fn branch(entry: BranchEntry) -> Branch {
    Branch {
        from: Avma(entry.from),
        to: Avma(entry.to),
        flags: if entry.wrong_path {
            BranchFlags::WRONG_PATH
        } else {
            BranchFlags(0)
        },
    }
}
