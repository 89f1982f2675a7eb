//! Finds out which processes of a stream have ended.
//!
//! A process ends with its last thread, and its first thread may end before others. A recording may lack records, and
//! has none of a process that began before it. So the threads are not listed, but counted: a process whose first thread
//! has ended is taken to live as long as more other threads began than ended.

use std::collections::HashSet;

use perfdata::{Change, Moment, SideRecord};
use rustc_hash::FxHashMap;

/// The threads of a process.
#[derive(Debug, Clone, Copy, Default)]
struct Threads {
    /// True if the first thread has ended.
    first_ended: bool,
    /// Number of other threads that began, less the number of those that ended.
    others: i64,
}

impl Threads {
    fn are_gone(self) -> bool {
        self.first_ended && self.others <= 0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// The process began, or began another program with one thread.
    Begin,
    Thread,
    Exit {
        first: bool,
    },
    /// The process did something else, so it lives.
    Sign,
}

/// The lives of processes.
#[derive(Debug, Default)]
pub(crate) struct Lives {
    /// Events that are not yet in `threads`: their moments, their positions in the input, and their processes.
    events: Vec<(Moment, u64, i32, Event)>,
    threads: FxHashMap<i32, Threads>,
}

impl Lives {
    pub(crate) fn note(&mut self, record: &SideRecord) {
        let (pid, event) = match &record.change {
            Change::Fork { pid, .. } | Change::Exec { pid } => (*pid, Event::Begin),
            Change::Thread { pid } => (*pid, Event::Thread),
            Change::Exit { pid, first } => (*pid, Event::Exit { first: *first }),
            Change::Map(mapping) => (mapping.pid, Event::Sign),
            Change::Poke(_) => return,
        };
        self.events.push((record.moment, record.position, pid, event));
    }

    /// Returns the processes that had ended at `moment`, and of which no later life is known. Forgets them, and the events
    /// up to that moment.
    pub(crate) fn take_ended_by(&mut self, moment: Moment) -> HashSet<i32> {
        // perf writes its buffers one after the other, so records come in another order than events happened.
        self.events.sort_unstable();
        let later = self.events.partition_point(|(at, ..)| *at <= moment);
        for (_, _, pid, event) in self.events.drain(..later) {
            let threads = self.threads.entry(pid).or_default();
            match event {
                Event::Begin => *threads = Threads::default(),
                Event::Thread => threads.others += 1,
                Event::Exit { first: true } => threads.first_ended = true,
                Event::Exit { first: false } => threads.others -= 1,
                Event::Sign => {}
            }
        }
        let alive: HashSet<i32> = self.events.iter().map(|(_, _, pid, _)| *pid).collect();
        let ended = self.threads.iter().filter(|(_, threads)| threads.are_gone());
        let ended: HashSet<i32> = ended.map(|(pid, _)| *pid).filter(|pid| !alive.contains(pid)).collect();
        self.threads.retain(|pid, _| !ended.contains(pid));
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(events: &[(u64, Change)], by: Moment) -> Vec<i32> {
        let mut lives = Lives::default();
        for (position, (time, change)) in (0..).zip(events) {
            lives.note(&SideRecord {
                moment: Moment::at_time(*time),
                position,
                change: change.clone(),
            });
        }
        let mut ended: Vec<i32> = lives.take_ended_by(by).into_iter().collect();
        ended.sort_unstable();
        ended
    }

    #[test]
    fn a_process_ends_with_its_last_thread() {
        let begin = Change::Fork { pid: 7, parent: 1 };
        let thread = Change::Thread { pid: 7 };
        let [first, other] = [true, false].map(|first| Change::Exit { pid: 7, first });
        let cases: [(&[&Change], bool); 8] = [
            (&[&begin, &first], true),
            (&[&begin, &thread, &first], false),
            (&[&begin, &thread, &first, &other], true),
            (&[&begin, &thread, &thread, &other, &first], false),
            (&[&begin, &thread, &other], false),
            // The records of the beginning are missing.
            (&[&first], true),
            (&[&other, &other], false),
            (&[&other, &first], true),
        ];
        for (changes, is_gone) in cases {
            let events: Vec<_> = (1..)
                .zip(changes)
                .map(|(time, change)| (time, (*change).clone()))
                .collect();
            let expected = if is_gone { vec![7] } else { vec![] };
            assert_eq!(ended(&events, Moment::END), expected, "{changes:?}");
            // The order of the records does not matter.
            let reversed: Vec<_> = events.into_iter().rev().collect();
            assert_eq!(ended(&reversed, Moment::END), expected, "{changes:?}");
        }
    }

    #[test]
    fn another_program_has_one_thread() {
        let [thread, exec] = [Change::Thread { pid: 7 }, Change::Exec { pid: 7 }];
        let first = Change::Exit { pid: 7, first: true };
        // The thread that began the program has the number of the first thread, which ended, from then on.
        let mut events = vec![(1, thread), (2, first.clone()), (3, exec)];
        assert_eq!(ended(&events, Moment::END), []);
        events.push((4, first));
        assert_eq!(ended(&events, Moment::END), [7]);
    }

    #[test]
    fn a_number_that_is_used_again_is_not_gone() {
        let mut events = vec![(1, Change::Exit { pid: 7, first: true })];
        events.push((2, Change::Fork { pid: 7, parent: 1 }));
        for by in [1, 2].map(Moment::at_time) {
            assert_eq!(ended(&events, by), []);
        }
        events.push((3, Change::Exit { pid: 7, first: true }));
        assert_eq!(ended(&events, Moment::at_time(2)), []);
        assert_eq!(ended(&events, Moment::at_time(3)), [7]);
    }
}
