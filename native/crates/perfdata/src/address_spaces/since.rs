//! Address spaces without their past, so that a stream that runs for days does not fill the memory.

use std::collections::{BTreeMap, HashSet};

use super::{AddressSpaces, EventKind};
use crate::address::{Avma, Moment};
use crate::record::CpuMode;
use crate::side_record::{Change, KERNEL_IMAGE, Mapping, SideRecord};

impl AddressSpaces {
    /// Returns changes that turn empty address spaces into these, as they are from `moment` on. Leaves out everything
    /// before `moment` and the processes in `gone`, because the past of a stream that runs for days would fill the
    /// memory.
    #[must_use]
    pub fn since(&self, moment: Moment, gone: &HashSet<i32>) -> Vec<SideRecord> {
        let mut mappings: Vec<Mapping> = Vec::new();
        let of_kernel = self
            .mappings
            .iter()
            .filter(|mapping| mapping.cpumode == CpuMode::Kernel);
        let latest: BTreeMap<Avma, &Mapping> = of_kernel.map(|mapping| (mapping.start, mapping)).collect();
        let image = self.kernel_image.map(|id| self.mapping(id));
        let is_image = |mapping: &Mapping| mapping.file.name.starts_with(KERNEL_IMAGE);
        mappings.extend(latest.into_values().filter(|mapping| !is_image(mapping)).cloned());
        mappings.extend(image.cloned());
        let mut pids: Vec<i32> = self
            .processes
            .keys()
            .copied()
            .filter(|pid| !gone.contains(pid))
            .collect();
        pids.sort_unstable();
        for pid in pids {
            for range in self.space(pid, moment).ranges() {
                let whole = self.mapping(range.map);
                mappings.push(Mapping {
                    pid,
                    start: range.start,
                    len: range.end.0 - range.start.0,
                    pgoff: whole.pgoff.wrapping_add(range.start.0.wrapping_sub(whole.start.0)),
                    ..whole.clone()
                });
            }
        }
        let then = (0..).zip(mappings).map(|(position, mapping)| SideRecord {
            moment: Moment::START,
            position,
            change: Change::Map(mapping),
        });
        let later = self
            .events
            .iter()
            .filter(|event| event.moment > moment && !gone.contains(&event.pid));
        let later = later.map(|event| SideRecord {
            moment: event.moment,
            position: event.position,
            change: match event.kind {
                EventKind::Map(map) => Change::Map(self.mapping(map).clone()),
                EventKind::Exec => Change::Exec { pid: event.pid },
                EventKind::Fork { parent } => Change::Fork { pid: event.pid, parent },
            },
        });
        then.chain(later).collect()
    }
}
