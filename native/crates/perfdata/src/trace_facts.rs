//! Facts that other records state about a trace: the threads that ran at each time, and the stretches of its buffers.
//!
//! A fact holds from its time on, so it does not matter when it is read: the facts that were read up to a time decide
//! about the trace of that time.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::byte_order::ByteOrder;
use crate::record::{RecordHeader, misc, record_type};
use crate::sample_layout::Trailer;
use crate::stats::RecordStats;
use crate::trace_clock::TraceClock;
use crate::trace_sections::{Owner, Sections, StretchEnd};

/// Bits of an AUX record's flags.
mod aux_flag {
    pub(super) const TRUNCATED: u64 = 1 << 0;
    pub(super) const PARTIAL: u64 = 1 << 2;
    pub(super) const COLLISION: u64 = 1 << 3;
}

/// Stands for a thread that is not known.
const NO_THREAD: i32 = -1;

/// Number of facts of a kind that are kept before those that are not needed any more are looked for.
const FEW: usize = 1 << 16;
/// Largest number of facts of a kind that a stream keeps for traces that may still come. A CPU that is hardly used
/// delivers its trace after hours, and until then each of its changes of threads is kept.
const MOST: usize = 1 << 21;

/// Time in nanoseconds after the end of a thread in which it no longer runs. The kernel reports the end while the thread
/// still runs.
const LAST_BREATH: u64 = 1_000_000_000;

/// Facts about all buffers of a recording.
#[derive(Debug, Default)]
pub(crate) struct TraceFacts {
    clock: Option<TraceClock>,
    /// CPU, time, and the thread that began to run there.
    switches: BTreeSet<(u32, u64, i32)>,
    /// Time before which changes of threads may have been forgotten.
    switches_since: u64,
    /// The process of a thread from a time on. `None` if the thread ended then.
    processes: BTreeMap<(i32, u64), Option<i32>>,
    /// Stretches of the buffers. Only the AUXTRACE records tell whether a buffer belongs to a CPU or to a thread, so each
    /// stretch is there for both.
    pub(crate) sections: Sections,
    /// Number of stretches above which unneeded ones are looked for.
    most_sections: usize,
    /// Number of changes of threads, and of notes about threads, above which unneeded ones are looked for.
    most_switches: usize,
    most_processes: usize,
    /// Time at which the trace of each CPU began.
    pub(crate) begins: HashMap<u32, u64>,
}

impl TraceFacts {
    /// Reads a record about threads or about the trace. Returns `None` if the record is too short.
    pub(crate) fn absorb(
        &mut self,
        header: RecordHeader,
        record: &[u8],
        trailer: Trailer,
        order: ByteOrder,
        stats: &mut RecordStats,
    ) -> Option<()> {
        let id = |at: usize| order.u32(record, at).map(u32::cast_signed);
        // Records that perf makes up for what was before have no time.
        let time = if trailer.time == u64::MAX { 0 } else { trailer.time };
        match header.record_type {
            // All these records begin with the process id.
            record_type::MMAP2 | record_type::COMM | record_type::ITRACE_START => {
                self.note_thread(id(12)?, time, Some(id(8)?));
            }
            record_type::FORK => self.note_thread(id(16)?, time, Some(id(8)?)),
            record_type::EXIT => self.note_thread(id(16)?, time, None),
            record_type::AUX => {
                let flags = order.u64(record, 24)?;
                stats.traces_truncated += u64::from(flags & aux_flag::TRUNCATED != 0);
                stats.trace_collisions += u64::from(flags & aux_flag::COLLISION != 0);
                let (start, size) = (order.u64(record, 8)?, order.u64(record, 16)?);
                let end = StretchEnd {
                    pid: trailer.pid,
                    tid: trailer.tid,
                    time,
                };
                let has_gap = flags & aux_flag::PARTIAL != 0;
                self.sections.add(Owner::Cpu(trailer.cpu), start, size, has_gap, end);
                self.sections.add(Owner::Thread(trailer.tid), start, size, has_gap, end);
            }
            _ => {}
        }
        let begins = match header.record_type {
            record_type::SWITCH | record_type::SWITCH_CPU_WIDE => header.misc & misc::SWITCH_OUT == 0,
            record_type::ITRACE_START => true,
            _ => false,
        };
        if begins && time != 0 {
            self.note_thread(trailer.tid, time, Some(trailer.pid));
            self.switches.insert((trailer.cpu, time, trailer.tid));
        }
        if header.record_type == record_type::ITRACE_START && self.begins.len() < FEW {
            self.begins.entry(trailer.cpu).or_insert(time);
        }
        Some(())
    }

    /// Reads the conversion of the CPU's timer.
    pub(crate) fn set_clock(&mut self, record: &[u8], order: ByteOrder) {
        self.clock = TraceClock::parse(record, order);
    }

    /// Forgets the conversion, because the times of the recording are not of the clock that it is about.
    pub(crate) fn forget_clock(&mut self) {
        self.clock = None;
    }

    /// Returns the time of a value of the timer, in nanoseconds of the recording's clock.
    pub(crate) fn time(&self, timer: u64) -> Option<u64> {
        self.clock.map(|clock| clock.time(timer))
    }

    fn note_thread(&mut self, tid: i32, time: u64, process: Option<i32>) {
        if tid <= 0 {
            return;
        }
        let before = self.processes.range((tid, 0)..=(tid, time)).next_back();
        // A thread without a note is the first of its process.
        if before.map_or(Some(tid), |(_, known)| *known) == process && (before.is_some() || time == 0) {
            return;
        }
        self.processes.insert((tid, time), process);
    }

    /// Returns the process that a thread belongs to at a time.
    pub(crate) fn process_of(&self, tid: i32, time: u64) -> i32 {
        let mut notes = self.processes.range((tid, 0)..=(tid, time)).rev();
        notes.find_map(|(_, process)| *process).unwrap_or(tid)
    }

    /// Returns the thread that ran on a CPU at a time; -1 if it was forgotten, and `None` if it was never known.
    pub(crate) fn running(&self, cpu: u32, time: u64) -> Option<i32> {
        let last = self
            .switches
            .range((cpu, 0, i32::MIN)..=(cpu, time, i32::MAX))
            .next_back();
        match last {
            Some((_, _, tid)) => Some(*tid),
            None if time < self.switches_since => Some(NO_THREAD),
            None => None,
        }
    }

    /// Forgets what no later part of the trace needs. `reached` is the time up to which the trace of a CPU is decoded;
    /// `all_reached` is the time up to which all traces are. `is_to_come` is false for stretches that are decoded, and
    /// for owners that no buffer has.
    pub(crate) fn forget_past(
        &mut self,
        reached: &HashMap<u32, u64>,
        all_reached: u64,
        is_to_come: impl Fn(Owner, u64) -> bool,
    ) {
        if self.switches.len() > self.most_switches.max(FEW) {
            self.forget_switches(reached);
            self.most_switches = 2 * self.switches.len();
        }
        if self.processes.len() > self.most_processes.max(FEW) {
            self.forget_threads(all_reached);
            self.most_processes = 2 * self.processes.len();
        }
        if self.sections.len() > self.most_sections.max(FEW) {
            self.sections.retain(is_to_come);
            // Snapshots leave out most of what was written, so its stretches are never decoded.
            if self.sections.len() > MOST / 4 {
                self.sections = Sections::default();
            }
            self.most_sections = 2 * self.sections.len();
        }
    }

    /// Forgets all changes of threads on each CPU before the last one that its trace has reached.
    fn forget_switches(&mut self, reached: &HashMap<u32, u64>) {
        let last_needed = |cpu: u32| {
            let time = *reached.get(&cpu)?;
            let known = self.switches.range((cpu, 0, i32::MIN)..=(cpu, time, i32::MAX));
            known.last().copied()
        };
        let cpus = reached.keys().filter_map(|cpu| Some((*cpu, last_needed(*cpu)?)));
        let last: HashMap<u32, (u32, u64, i32)> = cpus.collect();
        self.switches
            .retain(|switch| last.get(&switch.0).is_none_or(|last| switch >= last));
        if self.switches.len() > MOST {
            let mut times: Vec<u64> = self.switches.iter().map(|(_, time, _)| *time).collect();
            let middle = times.len() / 2;
            let (_, since, _) = times.select_nth_unstable(middle);
            self.switches_since = self.switches_since.max(*since);
            self.switches.retain(|(_, time, _)| *time >= self.switches_since);
        }
    }

    /// Forgets notes that later ones replaced by `time`, and threads that had ended.
    fn forget_threads(&mut self, time: u64) {
        let mut kept = BTreeMap::new();
        let mut notes = std::mem::take(&mut self.processes).into_iter().peekable();
        while let Some(((tid, since), process)) = notes.next() {
            let next = notes.peek().filter(|((next, _), _)| *next == tid);
            // The process of a thread that has just ended is still asked for.
            let is_replaced = next.is_some_and(|((_, later), next)| match next {
                Some(_) => *later <= time,
                None => later.saturating_add(LAST_BREATH) <= time,
            });
            let has_ended = process.is_none() && since.saturating_add(LAST_BREATH) <= time;
            if !is_replaced && !has_ended {
                kept.insert((tid, since), process);
            }
        }
        self.processes = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_belongs_to_the_process_of_its_time() {
        let mut facts = TraceFacts::default();
        facts.note_thread(7, 50, None);
        facts.note_thread(7, 10, Some(1));
        facts.note_thread(7, 60, Some(2));
        facts.note_thread(8, 70, Some(8));
        facts.note_thread(8, 20, Some(1));
        let asked = |facts: &TraceFacts| [5, 10, 49, 55, 60, 99].map(|time| facts.process_of(7, time));
        assert_eq!(asked(&facts), [7, 1, 1, 1, 2, 2]);
        assert_eq!([19, 20, 70].map(|time| facts.process_of(8, time)), [8, 1, 8]);
        facts.forget_threads(50);
        assert_eq!(asked(&facts), [7, 1, 1, 1, 2, 2]);
        facts.forget_threads(50 + LAST_BREATH);
        assert_eq!(facts.processes.len(), 2);
        assert_eq!((facts.process_of(7, 60), facts.process_of(8, 70)), (2, 8));
    }

    #[test]
    fn changes_of_threads_are_kept_as_long_as_a_trace_may_need_them() {
        let mut facts = TraceFacts::default();
        facts
            .switches
            .extend([(0, 10, 1), (0, 20, 2), (0, 30, 3), (1, 5, 4), (1, 15, 5)]);
        facts.forget_switches(&HashMap::from([(0, 29)]));
        assert_eq!(facts.running(0, 29), Some(2));
        assert_eq!(facts.running(1, 5), Some(4));
        assert_eq!(facts.switches.len(), 4);
    }

    #[test]
    fn the_most_changes_of_threads_are_bounded() {
        let mut facts = TraceFacts::default();
        facts.switches.extend((0..MOST as u64 + 2).map(|time| (3, time, 1)));
        facts.forget_switches(&HashMap::new());
        assert!(facts.switches.len() <= MOST / 2 + 1);
        assert_eq!(facts.running(3, 5), Some(NO_THREAD), "unknown, and not another thread");
        assert_eq!(facts.running(3, u64::MAX), Some(1));
        assert_eq!(facts.running(4, u64::MAX), None);
    }
}
