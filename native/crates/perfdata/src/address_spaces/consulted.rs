//! Checks whether address spaces would still give the same answers after later records were added.

use std::collections::{HashMap, HashSet};

use super::{AddressSpaces, EventKind};
use crate::address::Moment;
use crate::record::CpuMode;
use crate::side_record::{Change, SideRecord};

/// The processes whose address spaces were asked for, with the latest moment for each.
#[derive(Debug, Default)]
pub struct Consulted {
    latest: Option<Moment>,
    by_process: HashMap<i32, Moment>,
}

impl Consulted {
    /// Notes that the space of `pid` was asked for at `moment`, or at several moments of which `moment` is the latest.
    pub fn note(&mut self, pid: i32, moment: Moment) {
        self.latest = self.latest.max(Some(moment));
        let latest = self.by_process.entry(pid).or_insert(moment);
        *latest = moment.max(*latest);
    }

    /// Returns true if the space of `pid` was asked for at `moment` or later.
    pub(crate) fn at_or_after(&self, pid: i32, moment: Moment) -> bool {
        self.by_process.get(&pid).is_some_and(|latest| *latest >= moment)
    }
}

impl AddressSpaces {
    /// Returns true if `records`, which have been added, may change an earlier answer. Records cannot change an answer
    /// if they happened later than the moments that were asked for. They also cannot if they concern neither a process
    /// that was asked for nor one of its ancestors.
    #[must_use]
    pub fn contradict(&self, consulted: &Consulted, records: &[SideRecord]) -> bool {
        let Some(latest) = consulted.latest else {
            return false;
        };
        // Mappings of the kernel hold for all processes at all times.
        let is_kernel =
            |record: &SideRecord| matches!(&record.change, Change::Map(map) if map.cpumode == CpuMode::Kernel);
        if records.iter().any(is_kernel) {
            return true;
        }
        let late = records.iter().filter(|record| record.moment <= latest);
        let late: HashSet<_> = late.map(|record| (record.moment, record.position)).collect();
        let Some(first) = late.iter().min() else {
            return false;
        };
        // A process that was forked from a changed process is changed as well.
        let mut changed = HashSet::new();
        let behind = self.events.partition_point(|event| event.order() < *first);
        self.events[behind..].iter().any(|event| {
            let inherits = matches!(event.kind, EventKind::Fork { parent } if changed.contains(&parent));
            if !inherits && !late.contains(&event.order()) {
                return false;
            }
            changed.insert(event.pid);
            consulted.at_or_after(event.pid, event.moment)
        })
    }
}

#[cfg(test)]
#[path = "consulted_tests.rs"]
mod tests;
